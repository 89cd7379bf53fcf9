import { CHAPTERS } from "./chapters/index.ts";
import type { Harness } from "./suite/harness.ts";
import type { PlannedCase } from "./suite/run-case.ts";
import { type Variant, VIEWS, type Views } from "./suite/views.ts";

/** Every case of every chapter, in every way in which the suite runs for an adapter. */
export function plan(harness: Harness): PlannedCase[] {
  return variantsOf(harness).flatMap((variant) =>
    CHAPTERS.flatMap((chapter) =>
      chapter.cases.map((oneCase) => ({
        variant,
        chapter,
        case: oneCase,
        fullTitle: `${titleOf(harness, variant)} › ${chapter.title} › ${oneCase.title}`,
      })),
    ),
  );
}

export function titleOf(harness: Harness, variant: Variant): string {
  return variant.title === "" ? harness.name : `${harness.name} ${variant.title}`;
}

/** Deviations that name no case, because a case or the adapter was renamed. */
export function strayDeviations(harness: Harness, planned: readonly PlannedCase[]): string[] {
  const titles = new Set(planned.map(({ fullTitle }) => fullTitle));
  return Object.keys(harness.deviations ?? {}).filter((title) => !titles.has(title));
}

function viewsOf(views: string): readonly Variant[] {
  const variants = Object.hasOwn(VIEWS, views) ? VIEWS[views as Views] : undefined;
  if (variants !== undefined) return variants;
  throw new TypeError(`the harness's views must be one of ${Object.keys(VIEWS).join(", ")}, not ${views}`);
}

function variantsOf({ through = [], codecs = [], together, views = "each" }: Harness): Variant[] {
  const inOnePartition = { title: "through a scope of one partition", path: [], together: true };
  return [
    ...viewsOf(views),
    ...(together === undefined ? [] : [{ ...inOnePartition, scope: together }]),
    ...codecs.map((codec) => ({ title: `in ${codec.name}`, codec, path: [] })),
    ...through.map(({ title, wrap }) => ({ title: `through ${title}`, wrap, path: [] })),
  ];
}
