import { createHash } from "node:crypto";

/** A Lua script and the name under which the server remembers it. */
export class Script {
  readonly text: string;
  readonly sha: string;

  constructor(text: string) {
    this.text = text.trim();
    this.sha = createHash("sha1").update(this.text).digest("hex");
  }
}
