/** Detects that a connection leads to another server than the one before, or to one that was restarted. */
export class ServerIdentity {
  readonly #identify: () => Promise<string | undefined>;
  /** The server that the last connection led to. */
  #server: string | undefined;
  #meeting: { readonly connection: number; readonly hasChanged: Promise<boolean> } | undefined;

  /** @param identify returns what differs for every start of every server; `undefined`: the server does not report it */
  constructor(identify: () => Promise<string | undefined>) {
    this.#identify = identify;
  }

  /** @param connection the number of the present connection; each is asked once */
  hasChanged(connection: number): Promise<boolean> {
    if (this.#meeting?.connection === connection) return this.#meeting.hasChanged;
    const hasChanged = this.#meet();
    const meeting = { connection, hasChanged };
    this.#meeting = meeting;
    // If asking failed, the next call asks again.
    hasChanged.catch(() => {
      if (this.#meeting === meeting) this.#meeting = undefined;
    });
    return hasChanged;
  }

  async #meet(): Promise<boolean> {
    const before = this.#server;
    const server = await this.#identify();
    this.#server = server;
    return before !== undefined && server !== undefined && before !== server;
  }
}
