import { timer } from "@kv/core";
import { ArangoFailure } from "../errors.ts";

/** The number of "not a leader". */
const NOT_LEADER = 1496;
/** Where a follower names its leader. */
const LEADER_HEADER = "x-arango-endpoint";

/**
 * A hook for arangojs's `afterResponse`, for three cases that arangojs does not handle:
 *
 * - It waits for an answer's body without a timeout: a server that stops in the middle would occupy a connection forever.
 * - It sends a request, with the password, to any address that a 503 names, as often as one is named.
 * - It does not report that an answer came through a redirect.
 *
 * `timeout`: milliseconds that a body may take.
 */
export function answerHook(timeout: number): (error: unknown, response?: Response) => void {
  return (_error, response) => {
    if (response === undefined) return;
    const leader = response.status === 503 ? response.headers.get(LEADER_HEADER) : null;
    if (leader !== null && leader !== "") {
      const message = `this server accepts no requests and names ${leader} as its leader; connect to that address`;
      throw new ArangoFailure(message, "refused", { errorNum: NOT_LEADER, status: 503 });
    }
    if (response.redirected && !response.ok) {
      // `fetch` has followed the redirect, and omits the account if it led to another server.
      const { origin } = new URL(response.url);
      const message = `the server redirects to ${origin}, which answers ${response.status}; give that address as the option url`;
      const outcome = response.status >= 500 ? "unknown" : "refused";
      throw new ArangoFailure(message, outcome, { errorNum: response.status, status: response.status });
    }
    // The body of a refusal is small, and read from a copy.
    const { body } = response;
    if (body === null || !response.ok) return;
    const json = async () => JSON.parse(await textOf(body, timeout)) as unknown;
    Object.defineProperty(response, "json", { value: json });
  };
}

async function textOf(body: ReadableStream<Uint8Array>, timeout: number): Promise<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let isLate = false;
  const end = timer(() => {
    isLate = true;
    // This also ends the connection.
    reader.cancel().catch(() => undefined);
  }, timeout);
  try {
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (isLate) throw new Error("the server's answer stopped in the middle");
      if (done) return text + decoder.decode();
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    end.cancel();
  }
}
