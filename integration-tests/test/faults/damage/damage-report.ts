import type { Findings } from "../../../workers/faults/read-damaged.ts";

/** The results of all databases that were damaged in one way. */
export class DamageReport {
  databases = 0;
  /** Databases whose every read was right: the damage hit nothing that is read. */
  unharmed = 0;
  unopened = 0;
  reads = 0;
  readonly refused = new Map<string, number>();
  /** The first reader's errors, by code. */
  readonly messages = new Map<string, string>();
  /** Entries said not to be there, and such as were there in an earlier state. */
  absent = 0;
  stale = 0;
  readonly wrong: string[] = [];
  /** Databases with wrong values, and with entries of the other two kinds. */
  wrongDatabases = 0;
  silentDatabases = 0;
  /** Keys that were never written. */
  phantoms = 0;
  /** Processes that ended, or never answered. */
  readonly ended: string[] = [];

  add(where: string, findings: Findings | string): void {
    this.databases++;
    if (typeof findings === "string") {
      this.ended.push(`${where}: ${findings}`);
      return;
    }
    const { unopened, right, refused, absent, stale, wrong, wrongMetadata, phantoms } = findings;
    const refusals = Object.values(refused).reduce((sum, count) => sum + count, 0);
    const harm = refusals + absent + stale + wrong.length + wrongMetadata.length + phantoms.length;
    if (harm === 0) this.unharmed++;
    if (unopened) this.unopened++;
    this.reads += right + harm;
    for (const [code, count] of Object.entries(refused))
      this.refused.set(code, (this.refused.get(code) ?? 0) + count);
    for (const [code, message] of Object.entries(findings.messages)) {
      if (!this.messages.has(code)) this.messages.set(code, message.replaceAll(/\/\S*kv-test-[^/]*/g, "…"));
    }
    if (wrong.length + wrongMetadata.length > 0) this.wrongDatabases++;
    if (absent + stale > 0) this.silentDatabases++;
    this.absent += absent;
    this.stale += stale;
    this.phantoms += phantoms.length;
    this.wrong.push(...[...wrong, ...wrongMetadata].map((what) => `${where}: ${what}`));
  }

  toString(): string {
    const refused = [...this.refused].map(([code, count]) => `${count} ${code}`).join(", ") || "none";
    const said = [...this.messages].map(([code, message]) => `\n    ${code}: "${message}"`).join("");
    return (
      `${this.databases} databases (${this.unharmed} unharmed, ${this.unopened} not opened), ${this.reads} answers; ` +
      `refused: ${refused}; wrong: ${this.wrong.length} (in ${this.wrongDatabases} databases); ` +
      `of an earlier state: ${this.stale}, said to be absent: ${this.absent} (in ${this.silentDatabases}); altered keys: ${this.phantoms}; processes ended: ${this.ended.length}${said}`
    );
  }
}
