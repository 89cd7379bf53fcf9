// `npm start`. An argument is the folder for the SQLite file; default: .data in this package.

import { join, resolve } from "node:path";
import { demonstrate } from "./demonstration.ts";
import { installedManifests } from "./manifests.ts";

const home = resolve(import.meta.dirname, "..");
const manifests = installedManifests(join(home, "../../node_modules"));
const directory = resolve(process.argv[2] ?? join(home, ".data"));
const same = await demonstrate({ manifests, directory, out: process.stdout });
process.exitCode = same ? 0 : 1;
