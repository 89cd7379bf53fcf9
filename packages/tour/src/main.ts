// `npm start`. An argument is the folder for the SQLite file; default: .data in this package. A Redis is part of the tour
// if KV_TEST_REDIS_URL names one. No other is ever used, because the tour writes to it.

import { join, resolve } from "node:path";
import { demonstrate } from "./demonstration.ts";
import { installedManifests } from "./manifests.ts";

const home = resolve(import.meta.dirname, "..");
const manifests = installedManifests(join(home, "../../node_modules"));
const directory = resolve(process.argv[2] ?? join(home, ".data"));
const redisUrl = process.env["KV_TEST_REDIS_URL"] || undefined;
const same = await demonstrate({ manifests, directory, redisUrl, out: process.stdout });
process.exitCode = same ? 0 : 1;
