import { inspect } from "node:util";
import {
  ArangoError,
  FetchFailedError,
  HttpError,
  RequestAbortedError,
  ResponseTimeoutError,
} from "arangojs/errors";
import { describe, expect, test } from "vitest";
import {
  type ArangoFailure,
  errorCode,
  isMomentary,
  loginRefusal,
  mayHaveTakenEffect,
  Scrubber,
  writeFailure,
} from "../../src/errors.ts";

const scrubber = new Scrubber(["ge heim"]);
const request = new Request("http://h/", { headers: { authorization: "Basic geheim" } });

function refused(errorNum: number, errorMessage = "no", code = 400): ArangoFailure {
  return scrubber.failure(new ArangoError({ code, errorNum, errorMessage })) as ArangoFailure;
}

function unreachable(code: string): ArangoFailure {
  const cause = new TypeError("fetch failed", { cause: Object.assign(new Error(code), { code }) });
  return scrubber.failure(new FetchFailedError(undefined, request, { cause })) as ArangoFailure;
}

/** A proxy's answer: without a body as the server would write it. */
function proxied(status: number): ArangoFailure {
  const response = Object.assign(new Response(null, { status }), { request, arangojsHostUrl: "http://h" });
  return scrubber.failure(new HttpError(response)) as ArangoFailure;
}

describe("errors", () => {
  test.each([
    [1200, "KV_UNAVAILABLE"],
    [1210, "KV_UNAVAILABLE"],
    [1228, "KV_UNAVAILABLE"],
    [11, "KV_UNAVAILABLE"],
    [1004, "KV_READ_ONLY"],
    [1500, "KV_TIMEOUT"],
    [32, "KV_CAPACITY"],
    [1429, "KV_UNAVAILABLE"],
    [1448, "KV_UNAVAILABLE"],
    [1481, "KV_UNAVAILABLE"],
    [1463, undefined],
    [1501, undefined],
  ])("the server's %i is %s", (errorNum, code) => {
    expect(errorCode(refused(errorNum))).toBe(code);
  });

  test("what other writers make of a write may be tried again, and nothing else", () => {
    expect([1200, 1202, 1210, 1302, 18, 28, 29].every((errorNum) => isMomentary(refused(errorNum)))).toBe(
      true,
    );
    expect([11, 1203, 1501, 1579].some((errorNum) => isMomentary(refused(errorNum)))).toBe(false);
    expect(isMomentary(unreachable("ECONNRESET"))).toBe(false);
  });

  test("a request that reached no server may be made again; one whose answer is missing may have taken effect", () => {
    for (const code of ["ECONNREFUSED", "ENOTFOUND", "UND_ERR_CONNECT_TIMEOUT"]) {
      expect(unreachable(code).outcome).toBe("not sent");
      expect(writeFailure(unreachable(code))).toMatchObject({ outcome: "not sent" });
    }
    const lost = [
      unreachable("ECONNRESET"),
      unreachable("UND_ERR_SOCKET"),
      scrubber.failure(new ResponseTimeoutError(undefined, request)),
      scrubber.failure(new RequestAbortedError(undefined, request)),
      // From a gateway, and from a coordinator that has lost the server behind it.
      ...[408, 500, 502, 504, 520, 524].map(proxied),
      ...[21, 1457, 1465, 1474].map((errorNum) => refused(errorNum)),
      // The server commits before it waits for the disk, and before it answers.
      ...[4, 2, 30, 15, 99_999].map((errorNum) => refused(errorNum, "no", 500)),
    ];
    for (const failure of lost) {
      expect(mayHaveTakenEffect(failure)).toBe(true);
      expect(writeFailure(failure)).toMatchObject({ code: "KV_UNAVAILABLE", retryable: false });
    }
    expect([400, 404, 503].map((status) => proxied(status).outcome)).toEqual([
      "refused",
      "refused",
      "refused",
    ]);
  });

  test("a cluster that is short of replicas says the same as to a user who may not write: both are named", () => {
    const failure = refused(1004, "read only", 403);
    expect(writeFailure(failure, false)).toMatchObject({ code: "KV_READ_ONLY" });
    expect(writeFailure(failure, true)).toMatchObject({
      code: "KV_UNAVAILABLE",
      retryable: true,
      message: expect.stringMatching(/write concern.*right to write/),
    });
  });

  test("who may not write is told that it only reads, and who is not let in what to check", () => {
    expect(writeFailure(refused(11, "forbidden", 403))).toMatchObject({ code: "KV_READ_ONLY" });
    expect(writeFailure(refused(11, "not authorized", 401))).toMatchObject({
      code: "KV_UNAVAILABLE",
      message: expect.stringMatching(/check the options username, password/),
    });
    expect(loginRefusal(refused(11))).toMatchObject({ code: "KV_UNAVAILABLE", retryable: false });
    expect(loginRefusal(refused(1501))).toBeUndefined();
  });

  test("nothing of the request is shown, and no secret", () => {
    const failure = refused(600, 'bad "ge heim" or "ge%20heim"');
    expect(failure.message).toBe('bad "***" or "***" (600)');
    expect(scrubber.failure(new TypeError("bad URL http://root:other@h:1/x")).message).toBe(
      "bad URL http://***@h:1/x",
    );
    expect(inspect(unreachable("ECONNRESET"), { depth: 8 })).not.toMatch(/geheim|authorization/);
  });

  test("a request too large to be made was not made", () => {
    expect(scrubber.failure(new RangeError("Invalid string length"))).toMatchObject({ outcome: "refused" });
    expect(scrubber.failure(new SyntaxError("no JSON"))).toMatchObject({ outcome: "unknown" });
  });
});
