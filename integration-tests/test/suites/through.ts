import {
  bounded,
  compression,
  encryption,
  fallback,
  forward,
  logging,
  type Middleware,
  retry,
  sizeLimit,
  timeout,
  tracing,
} from "@kv/core";
import { memory } from "@kv/memory";

/** Every middleware, set so that it keeps the whole contract. */
export const through: readonly { readonly title: string; readonly wrap: Middleware }[] = [
  { title: "forward", wrap: (inner) => forward(inner) },
  { title: "bounded", wrap: bounded({ maxEntries: 1_000_000, maxBytes: 1e9 }) },
  { title: "logging", wrap: logging({ log: () => undefined, slow: 1, keys: true }) },
  { title: "tracing", wrap: tracing({ tracer: { startSpan: silentSpan } }) },
  { title: "retry", wrap: retry() },
  { title: "timeout", wrap: timeout({ after: 10 }) },
  { title: "fallback that fails", wrap: fallback({ mode: "fail" }) },
  // A memory of its own for each adapter: what opens it closes it.
  { title: "fallback that degrades", wrap: (inner) => fallback({ mode: "degrade", to: memory() })(inner) },
  { title: "compression", wrap: compression({ threshold: 64 }) },
  { title: "encryption", wrap: encryption({ key: new Uint8Array(32).fill(7) }) },
  { title: "sizeLimit", wrap: sizeLimit({ maxValueBytes: 50_000_000 }) },
  {
    title: "compression over encryption",
    wrap: (inner) => compression({ threshold: 64 })(encryption({ key: new Uint8Array(32).fill(7) })(inner)),
  },
];

/** Those that change what is stored, or when. */
const FOREMOST: readonly string[] = ["bounded", "fallback that degrades", "compression over encryption"];
export const foremost: typeof through = through.filter(({ title }) => FOREMOST.includes(title));
export const others: typeof through = through.filter(({ title }) => !FOREMOST.includes(title));

/** Those that change no answer, one over another: each has tests of its own. */
const UNCHANGING: readonly string[] = [
  "forward",
  "logging",
  "tracing",
  "retry",
  "timeout",
  "fallback that fails",
  "sizeLimit",
];

/** Every middleware in fewer runs. */
export const stacked: typeof through = [
  {
    title: "forward, logging, tracing, retry, timeout, fallback that fails and sizeLimit",
    wrap: (inner) =>
      through
        .filter(({ title }) => UNCHANGING.includes(title))
        .reduceRight((wrapped, { wrap }) => wrap(wrapped), inner),
  },
  ...through.filter(({ title }) => !UNCHANGING.includes(title)),
];

function silentSpan() {
  return {
    setAttribute: () => undefined,
    setStatus: () => undefined,
    recordException: () => undefined,
    end: () => undefined,
  };
}
