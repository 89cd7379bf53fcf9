import type { Mutant } from "./mutant.ts";

/** What a front could do wrong with the values that it is given, over a healthy adapter. */
export const valueMutants: readonly Mutant[] = [
  {
    title: "throws where options cannot be read",
    caughtBy:
      "reading and writing › options that cannot be read are KV_INVALID_OPTION in every operation: a rejection, and never a throw",
    front: (store) => ({
      set: (key, value, options) =>
        store.set(key, value, options?.signal === undefined ? options : { ...options }),
    }),
  },
  {
    title: "obeys a toJSON that is not enumerable",
    caughtBy:
      "values › a toJSON that is not enumerable stores nothing else: what is checked is what is stored, or it is refused",
    front: (store) => ({
      set: (key, value, options) =>
        store.set(key, hasToJson(value) ? JSON.parse(JSON.stringify(value)) : value, options),
    }),
  },
  {
    title: "obeys a toJSON of user metadata",
    caughtBy: "values › a toJSON that is not enumerable stores no other user metadata",
    front: (store) => ({
      set: (key, value, options) =>
        store.set(key, value, {
          ...options,
          ...(hasToJson(options?.metadata) ? { metadata: { text: JSON.stringify(options?.metadata) } } : {}),
        }),
    }),
  },
  {
    title: "looks at a value before it stores it, and reads it twice",
    caughtBy: "values › a property that is another one each time it is read is read once, or refused",
    front: (store) => ({
      set: (key, value, options) => {
        const [at] = Object.values(value as object);
        return store.set(key, typeof at === "number" ? { at: 2 } : value, options);
      },
    }),
  },
  {
    title: "lets a getter throw past it",
    caughtBy:
      "values › a property that throws when it is read is KV_INVALID_VALUE with its path, and nothing is written",
    front: (store) => ({
      set: async (key, value, options) => store.set(key, JSON.parse(JSON.stringify(value)), options),
    }),
  },
  {
    title: "takes values of any depth by storing them as text",
    caughtBy: "values › values nest 500 levels under json and no more, and what was written can be read",
    front: (store) => ({
      set: (key, value, options) =>
        store.set(key, value, options).catch(() => store.set(key, "deep", options)),
    }),
  },
  {
    title: "leaves out user metadata that nests too deep",
    caughtBy: "values › user metadata nests 500 levels and no more",
    front: (store) => ({
      set: (key, value, options) =>
        store.set(key, value, options).catch(() => store.set(key, value, { ...options, metadata: {} })),
    }),
  },
  {
    title: "knows only the plain objects of its own realm",
    caughtBy: "values › plain values of another realm are plain values, and come back as values of this one",
    front: (store) => ({
      set: (key, value, options) =>
        value instanceof Object || typeof value !== "object"
          ? store.set(key, value, options)
          : store.set(key, () => value, options),
    }),
  },
  {
    title: "knows only the bytes of its own realm",
    caughtBy: "values › bytes of another realm are stored as bytes",
    front: (store) => ({
      set: (key, value, options) =>
        ArrayBuffer.isView(value) && !(value instanceof Uint8Array)
          ? store.set(key, [...(value as Uint8Array)], options)
          : store.set(key, value, options),
    }),
  },
  {
    title: "knows only signals of its own implementation",
    caughtBy:
      "values › an AbortSignal of another implementation aborts, and what only looks like one a little is refused",
    front: (store) => ({
      set: (key, value, options) =>
        store.set(key, value, options?.signal instanceof AbortSignal ? options : undefined),
    }),
  },
];

function hasToJson(value: unknown): boolean {
  return typeof (value as { toJSON?: unknown } | null | undefined)?.toJSON === "function";
}
