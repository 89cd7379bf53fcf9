import type { Layout } from "./layout.ts";
import type { Revisions } from "./revision.ts";
import type { Server } from "./server.ts";
import type { WriteLanes } from "./write-lanes.ts";
import type { WriteQueries } from "./write-queries.ts";

/** What all that writes needs. */
export interface WriteContext {
  readonly server: Server;
  readonly layout: Layout;
  readonly lanes: WriteLanes;
  readonly queries: WriteQueries;
  readonly revisions: Revisions;
  /** Milliseconds since 1970 by the server's clock, as far as it is known. */
  readonly clock: () => number;
  /** Milliseconds that a write goes on trying while others come between. */
  readonly busyTimeout: number;
}
