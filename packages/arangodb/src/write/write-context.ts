import type { SessionRevisions } from "@kv/core";
import type { Server } from "../connection/server.ts";
import type { Layout } from "../stored/layout.ts";
import type { WriteLanes } from "./write-lanes.ts";
import type { WriteQueries } from "./write-queries.ts";

/** What all that writes needs. */
export interface WriteContext {
  readonly server: Server;
  readonly layout: Layout;
  readonly lanes: WriteLanes;
  readonly queries: WriteQueries;
  readonly revisions: SessionRevisions;
  /** Milliseconds since 1970 by the server's clock, as far as it is known. */
  readonly clock: () => number;
}
