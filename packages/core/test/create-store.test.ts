import { expect, test } from "vitest";
import { createStore } from "../src/create-store.ts";
import { FakeAdapter } from "./fake-adapter.ts";

test.each<[string, unknown, RegExp]>([
  ["a function in place of a list", () => undefined, /middleware must be an array/],
  [
    "undefined in the list",
    [undefined],
    /middleware\[0\] must be a function that returns an adapter.* and is undefined/,
  ],
  ["false in the list", [(inner: unknown) => inner, false], /middleware\[1\] .* is false/],
  ["a function that returns no adapter", [() => undefined], /middleware\[0\] .* returned none/],
])("%s is refused as middleware", (_, middleware, message) => {
  const make = () => createStore(new FakeAdapter(), { middleware: middleware as [] });
  expect(make).toThrow(message);
  expect(make).toThrow(expect.objectContaining({ code: "KV_INVALID_OPTION", operation: "createStore" }));
});
