import { ordered, watching } from "../suite/abilities.ts";
import type { Case, Chapter } from "../suite/chapter.ts";
import { atomic } from "./atomicity/atomic.ts";
import { overOnArrival } from "./atomicity/over-on-arrival.ts";
import { transactions } from "./atomicity/transactions.ts";
import { concurrency } from "./concurrency/concurrency.ts";
import { durability } from "./durability.ts";
import { errors } from "./errors.ts";
import { evictionPolicy } from "./eviction-policy.ts";
import { keys } from "./keys.ts";
import { modelBased } from "./model-based.ts";
import { namespaces } from "./namespaces-and-scopes/namespaces.ts";
import { scopes } from "./namespaces-and-scopes/scopes.ts";
import { closing } from "./opening-and-closing/closing.ts";
import { opening } from "./opening-and-closing/opening.ts";
import { clearing } from "./ranges/clearing.ts";
import { paging } from "./ranges/pages.ts";
import { scans } from "./ranges/scans.ts";
import { selectors } from "./ranges/selectors.ts";
import { unordered } from "./ranges/unordered.ts";
import { anyOrder } from "./reading-and-writing/any-order.ts";
import { conditionalWrites } from "./reading-and-writing/conditional-writes.ts";
import { increments } from "./reading-and-writing/increments.ts";
import { options, signals } from "./reading-and-writing/options.ts";
import { programOrder } from "./reading-and-writing/program-order.ts";
import { metadata, reading } from "./reading-and-writing/reading.ts";
import { writing } from "./reading-and-writing/writing.ts";
import { deadlines } from "./time-to-live/deadlines.ts";
import { expiry } from "./time-to-live/expiry.ts";
import { serverDeadlines } from "./time-to-live/server-deadlines.ts";
import { bytes } from "./values/bytes.ts";
import { checkedValues } from "./values/checked-values.ts";
import { codecs } from "./values/codecs.ts";
import { corruptEntries } from "./values/corrupt-entries.ts";
import { jsonRefusals, refusedWrites } from "./values/json-refusals.ts";
import { otherRealms } from "./values/other-realms.ts";
import { presenceAndEquality } from "./values/presence-and-equality.ts";
import { readonlyViews } from "./views-and-wrappers/readonly-views.ts";
import { typedViews } from "./views-and-wrappers/typed-views.ts";
import { refusesToWatch } from "./watching/refuses-to-watch.ts";
import { watchEnds } from "./watching/watch-ends.ts";
import { watchSelection } from "./watching/watch-selection.ts";
import { watchedChanges } from "./watching/watched-changes.ts";

/** The contract, chapter by chapter. */
export const CHAPTERS: readonly Chapter[] = [
  chapter("opening and closing", opening, closing),
  keys,
  chapter(
    "values",
    presenceAndEquality,
    jsonRefusals,
    refusedWrites,
    checkedValues,
    otherRealms,
    bytes,
    codecs,
    corruptEntries,
  ),
  chapter(
    "reading and writing",
    reading,
    metadata,
    writing,
    conditionalWrites,
    increments,
    options,
    signals,
    programOrder,
    anyOrder,
  ),
  chapter("time to live", deadlines, expiry, serverDeadlines),
  evictionPolicy,
  chapter("ranges", inOrder(selectors), inOrder(scans), inOrder(paging), unordered, clearing),
  chapter("namespaces and scopes", namespaces, scopes),
  chapter("atomicity", atomic, overOnArrival, transactions),
  concurrency,
  chapter("watching", watched(watchedChanges), watched(watchSelection), watched(watchEnds)),
  chapter("views and wrappers", typedViews, readonlyViews),
  errors,
  durability,
  modelBased,
];

function chapter(title: string, ...sections: (readonly Case[])[]): Chapter {
  return { title, cases: sections.flat() };
}

function inOrder(cases: readonly Case[]): Case[] {
  return cases.map((each) => ({
    ...each,
    requires: (abilities) => ordered(abilities) ?? each.requires?.(abilities),
  }));
}

function watched(cases: readonly Case[]): Case[] {
  return cases.map((each) => ({ ...each, requires: watching, whenMissing: refusesToWatch }));
}
