import { Database } from "arangojs";

/** The traffic counted. */
export interface Traffic {
  requests: number;
  /** Bytes of request or response bodies. */
  sent: number;
  received: number;
}

export interface CountingClient {
  readonly client: Database;
  /** Returns the traffic that the work caused. */
  during(work: () => Promise<unknown>): Promise<Traffic>;
}

/** An arangojs client that counts its requests, and the bytes of their bodies. */
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
