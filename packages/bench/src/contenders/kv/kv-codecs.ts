import { join } from "node:path";
import type { Codec } from "@kv/core";
import type { Contender } from "../../workload/contender.ts";
import { kvSubject } from "./kv-subject.ts";

/** @kv/sqlite in another codec than the default. */
function inCodec(name: string, packages: readonly string[], load: () => Promise<Codec>): Contender {
  return {
    name,
    role: "bare",
    packages: ["@kv/core", "@kv/sqlite", ...packages],
    async open(folder) {
      const [{ createStore }, { sqlite }, codec] = await Promise.all([
        import("@kv/core"),
        import("@kv/sqlite"),
        load(),
      ]);
      return kvSubject(createStore(sqlite({ path: join(folder, `${name}.db`) }), { codec }));
    },
  };
}

export const kvJson: Contender = inCodec("json", [], async () => (await import("@kv/core")).json);
export const kvStructured: Contender = inCodec(
  "structured",
  [],
  async () => (await import("@kv/core")).structured,
);
export const kvMsgpack: Contender = {
  ...inCodec("msgpack", ["@kv/msgpack", "msgpackr"], async () => (await import("@kv/msgpack")).msgpack),
  role: "ours",
};
