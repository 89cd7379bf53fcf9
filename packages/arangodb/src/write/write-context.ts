import type { SessionRevisions } from "@kv/core";
import type { Server } from "../connection/server.ts";
import type { Layout } from "../stored/layout.ts";
import type { WriteLanes } from "./write-lanes.ts";
import type { WriteQueries } from "./write-queries.ts";

/** The parts that everything that writes needs. */
export interface WriteContext {
  readonly server: Server;
  readonly layout: Layout;
  readonly lanes: WriteLanes;
  readonly queries: WriteQueries;
  readonly revisions: SessionRevisions;
  /** The server's time as last measured, in milliseconds since 1970. */
  readonly clock: () => number;
}
