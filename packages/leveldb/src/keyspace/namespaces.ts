import type { Namespace } from "@kv/core";
import type { Driver } from "../connection/driver.ts";
import type { Layout } from "../stored/layout.ts";

const PAGE = 64;
/** The factor by which pages grow while all entries of a namespace seen so far have expired, which is rare. */
const LOOKED_AT = 4;

/** Finds the namespaces that hold a live entry, by seeking from one to the next without reading their other entries. */
export class Namespaces {
  readonly #driver: Driver;
  readonly #layout: Layout;
  readonly #clock: () => number;

  constructor(driver: Driver, layout: Layout, clock: () => number) {
    this.#driver = driver;
    this.#layout = layout;
    this.#clock = clock;
  }

  /** Those below a namespace, itself excluded. */
  async *living(under: Namespace): AsyncGenerator<readonly Namespace[]> {
    const layout = this.#layout;
    const snapshot = this.#driver.snapshot();
    try {
      const iterator = snapshot.iterate(layout.tree(under), { values: true });
      let page: Namespace[] = [];
      let size = 1;
      for (;;) {
        const found = await iterator.nextv(size);
        const [first] = found;
        if (first === undefined) break;
        const namespace = layout.namespaceOf(first[0]);
        const space = layout.space(namespace);
        const theirs = found.filter(([storedKey]) => storedKey.startsWith(space));
        const lives = theirs.some(([storedKey, text]) => this.#isLive(snapshot.found("", storedKey, text)));
        if (namespace.id !== under.id && !lives && theirs.length === found.length) {
          size = Math.min(1024, size * LOOKED_AT);
          continue;
        }
        size = 1;
        if (lives && namespace.id !== under.id) page.push(namespace);
        iterator.seek(layout.afterNamespaceOf(first[0]));
        if (page.length === PAGE) {
          yield page;
          page = [];
        }
      }
      yield page;
    } finally {
      await snapshot.close();
    }
  }

  #isLive({ expiresAt }: { readonly expiresAt: number | undefined }): boolean {
    return expiresAt === undefined || expiresAt > this.#clock();
  }
}
