import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Colours text if the output is a terminal that shows colours and NO_COLOR is not set. */
export type Paint = (style: Style, text: string) => string;

export function painter(stream: NodeJS.WritableStream): Paint {
  return (style, text) => styleText(style, text, { stream });
}
