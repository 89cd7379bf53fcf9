import { setTimeout as later } from "node:timers";

/**
 * For arangojs's `afterResponse`. It waits for the head of an answer with a timeout, and for the body without one: a server
 * that stops in the middle would hold one of its requests for ever. `timeout`: milliseconds that a body may take.
 */
export function boundedBodies(timeout: number): (error: unknown, response?: Response) => void {
  return (_error, response) => {
    const body = response?.body;
    if (response === undefined || body === null || body === undefined) return;
    // A refusal's body is read from a copy, and small.
    if (!response.ok) return;
    const json = async () => JSON.parse(await textOf(body, timeout)) as unknown;
    Object.defineProperty(response, "json", { value: json });
  };
}

async function textOf(body: ReadableStream<Uint8Array>, timeout: number): Promise<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let isLate = false;
  const timer = later(() => {
    isLate = true;
    // Ends the connection, too.
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
    clearTimeout(timer);
  }
}
