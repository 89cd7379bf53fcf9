import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Store } from "@kv/core";
import type { Guide } from "./guide.ts";
import type { Manifest } from "./manifests.ts";

/**
 * The tour: plain @kv code that does not depend on the backend of `store`.
 *
 * It stores package.json files under `package:<name>@<version>` and, beside each, who needs whom under
 * `dependants:<name>:<who needs it>`; then it asks questions. `ask` only takes the time and writes the answer down.
 */
export async function tour(store: Store, manifests: readonly Manifest[], guide: Guide): Promise<void> {
  const { ask, progress } = guide;
  const idOf = ({ name, version }: Manifest) => `${name}@${version}`;
  // Types alone: `typed(schema)` takes a zod, valibot or arktype schema and validates as well.
  const packages = store.typed<Manifest>();

  await ask("Store them, and who needs whom", "atomic().set(…).commit()", async () => {
    let links = 0;
    for (const [index, manifest] of manifests.entries()) {
      const commit = store.atomic().set(`package:${idOf(manifest)}`, manifest);
      for (const [name, range] of Object.entries(manifest.dependencies ?? {})) {
        commit.set(`dependants:${name}:${idOf(manifest)}`, range);
        links++;
      }
      // A package and its links appear together or not at all, even if the power fails right here.
      await commit.commit();
      progress(index + 1, manifests.length);
    }
    return `${manifests.length + links} entries`;
  });

  await ask("Do all come back unchanged?", "getMany(keys)", async () => {
    const read = await packages.getMany(manifests.map((manifest) => `package:${idOf(manifest)}`));
    const equal = read.filter((manifest, index) => isDeepStrictEqual(manifest, manifests[index]));
    return `${equal.length} of ${manifests.length}`;
  });

  await ask("Which begin with @types/?", 'range("package:@types/")', async () => {
    const found = await packages.range("package:@types/");
    return found.map(([, manifest]) => manifest.name.replace("@types/", ""));
  });

  await ask("Which come last in order?", "page({ reverse, cursor })", async () => {
    const last = { prefix: "package:", reverse: true, limit: 2 };
    const one = await packages.page(last);
    const two = await packages.page({ ...last, cursor: one.cursor });
    return [...one.entries, ...two.entries].map(({ value }) => idOf(value));
  });

  await ask("Which licences do they have?", "values({ prefix })", async () => {
    const count = new Map<string, number>();
    for await (const { license = "none" } of packages.values({ prefix: "package:" })) {
      count.set(license, (count.get(license) ?? 0) + 1);
    }
    return [...count].sort(([, a], [, b]) => b - a).map(([license, times]) => `${license} ${times}`);
  });

  const favourite = await ask("Which one is needed most?", "keys({ prefix })", async () => {
    const count = new Map<string, number>();
    for await (const key of store.keys({ prefix: "dependants:" })) {
      const name = key.split(":")[1] ?? "";
      count.set(name, (count.get(name) ?? 0) + 1);
    }
    return [...count].sort(([, a], [, b]) => b - a)[0]?.[0] ?? "none";
  });

  await ask("And who needs that one?", 'scope(name).range("")', async () => {
    // A scope puts its prefix before every key, and takes it off again.
    const found = await store.scope("dependants").scope(favourite).range("");
    return found.map(([dependant]) => dependant);
  });

  await ask("What do 1,000 increments make?", 'increment("visits")', async () => {
    await Promise.all(Array.from({ length: 1000 }, () => store.increment("visits")));
    return store.get("visits");
  });

  await ask("Is an entry gone after 300 ms?", "set(key, value, { ttl })", async () => {
    const [, early] = await Promise.all([store.set("flash", "hello", { ttl: "300ms" }), store.get("flash")]);
    await sleep(320);
    const late = await store.get("flash");
    return `${early === "hello" ? "there" : "missing"}, then ${late === undefined ? "gone" : "still there"}`;
  });

  await ask("Does a watcher see a change?", "subscribe(callback, { prefix })", async () => {
    const { promise: seen, resolve } = Promise.withResolvers<string>();
    // Awaited, since a server takes a moment: from here on no change is missed.
    const watcher = await store.subscribe(({ type, value }) => resolve(`${type} to ${value}`), {
      prefix: "news:",
    });
    await store.set("news:weather", "rain");
    const answer = await seen;
    watcher.unsubscribe();
    return answer;
  });

  await ask("Two want one seat: who has it?", "replace(…, { revision })", async () => {
    const revision = await store.set("seat", "free");
    const [ada, bob] = await Promise.all([
      store.replace("seat", "Ada", { revision }),
      store.replace("seat", "Bob", { revision }),
    ]);
    // The loser gets `undefined`, not an exception: the other caller was faster.
    const losers = [ada === undefined ? "Ada" : "", bob === undefined ? "Bob" : ""].filter(Boolean);
    return `${await store.get("seat")}, ${losers.join(" and ")} lost`;
  });
}
