import type { Client } from "./clients.ts";

/** The events of a client that a connection listens to. */
export interface ClientEvents {
  /** It begins to connect. */
  readonly connecting?: () => void;
  /** It can be used. */
  readonly ready: () => void;
  /** A connection was lost. */
  readonly close: () => void;
  /** It has given up to connect. */
  readonly end: () => void;
  readonly error: (error: Error) => void;
}

interface Relay {
  readonly listeners: Set<ClientEvents>;
  readonly end: () => void;
}

const relays = new WeakMap<Client, Relay>();

/**
 * Listens to a client. All stores over a client that was handed in share one listener of each kind, since Node warns of a
 * leak if there are more than ten.
 * @returns a function that stops listening
 */
export function listenTo(client: Client, events: ClientEvents): () => void {
  let relay = relays.get(client);
  if (relay === undefined) {
    relay = relayOf(client);
    relays.set(client, relay);
  }
  const { listeners, end } = relay;
  listeners.add(events);
  return () => {
    if (!listeners.delete(events) || listeners.size > 0) return;
    relays.delete(client);
    end();
  };
}

function relayOf(client: Client): Relay {
  const listeners = new Set<ClientEvents>();
  const tell = (kind: "ready" | "close" | "end") => () => {
    for (const events of [...listeners]) events[kind]();
  };
  const [ready, close, ended] = [tell("ready"), tell("close"), tell("end")];
  const connecting = (): void => {
    for (const events of [...listeners]) events.connecting?.();
  };
  const failed = (error: Error): void => {
    for (const { error: note } of [...listeners]) note(error);
  };
  client.on("ready", ready).on("close", close).on("end", ended).on("error", failed).on("node error", failed);
  client.on("connecting", connecting);
  const end = (): void => {
    client.off("ready", ready).off("close", close).off("end", ended);
    client.off("error", failed).off("node error", failed).off("connecting", connecting);
  };
  return { listeners, end };
}
