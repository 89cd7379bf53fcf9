import type { Json } from "../json.ts";
import type { Answer } from "./answer.ts";

/** A request as it arrived, before anything is done with it. */
export interface InterceptedRequest {
  readonly method: string;
  /** With the query string: `/_db/app/_api/cursor`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body as JSON, where it is that. */
  readonly body: Json;
  /** The text of an AQL query, else `""`. */
  readonly query: string;
  /** Whether it is an AQL query that writes. */
  readonly writes: boolean;
}

/** What a client gets: an answer, a text that no ArangoDB would send, half of an answer, or the end of its connection. */
export type Intercepted =
  | Answer
  | { readonly status: number; readonly text: string; readonly headers?: Readonly<Record<string, string>> }
  /** The head of the answer and the beginning of its body, and then nothing more. */
  | { readonly stalled: Answer }
  | "reset";

/**
 * Stands between a request and its answer: for what servers, networks and proxies do to a request that no client can ask
 * for. `proceed` has the request done, once, and resolves to its answer.
 */
export type Interceptor = (
  request: InterceptedRequest,
  proceed: () => Promise<Answer>,
) => Promise<Intercepted> | Intercepted;

/** An error as the body of a server's answer. */
export function errorAnswer(status: number, errorNum: number, errorMessage = "injected"): Answer {
  return { status, body: { error: true, code: status, errorNum, errorMessage } };
}

export interface FaultOptions {
  /** `"before"`: nothing is done; `"after"`: the query is done and committed, and the error takes the place of its answer. */
  readonly when: "before" | "after";
  /** How many requests it happens to. Default: 1. */
  readonly times?: number;
  /** Which requests. Default: queries that write. */
  readonly only?: (request: InterceptedRequest) => boolean;
}

/** Answers some requests with something else. */
export function fault(answer: Intercepted, options: FaultOptions): Interceptor {
  const { when, only = ({ writes }) => writes } = options;
  let left = options.times ?? 1;
  return async (request, proceed) => {
    if (left <= 0 || !only(request)) return proceed();
    left--;
    if (when === "after") await proceed();
    return answer;
  };
}
