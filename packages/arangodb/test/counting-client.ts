import { Database } from "arangojs";

/** What went over the wire. */
export interface Traffic {
  requests: number;
  /** Bytes of bodies. */
  sent: number;
  received: number;
}

export interface CountingClient {
  readonly client: Database;
  /** What the work caused. */
  during(work: () => Promise<unknown>): Promise<Traffic>;
}

/** A client of arangojs that counts its requests, and the bytes of their bodies. */
export function countingClient(url: string, databaseName = "_system"): CountingClient {
  const traffic: Traffic = { requests: 0, sent: 0, received: 0 };
  const pending: Promise<void>[] = [];
  const client = new Database({
    url,
    databaseName,
    poolSize: 16,
    beforeRequest(request) {
      traffic.requests++;
      const counted = request
        .clone()
        .arrayBuffer()
        .then(({ byteLength }) => {
          traffic.sent += byteLength;
        });
      pending.push(counted);
    },
    afterResponse(_error, response) {
      traffic.received += Number(response?.headers.get("content-length") ?? 0);
    },
  });
  return {
    client,
    async during(work) {
      Object.assign(traffic, { requests: 0, sent: 0, received: 0 });
      await work();
      await Promise.all(pending.splice(0));
      return { ...traffic };
    },
  };
}
