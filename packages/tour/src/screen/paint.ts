import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Puts text into colours, where the output is a terminal that shows them and NO_COLOR does not ask for none. */
export type Paint = (style: Style, text: string) => string;

export function painter(stream: NodeJS.WritableStream): Paint {
  return (style, text) => styleText(style, text, { stream });
}
