import { type Codec, originated, Refusal, structuredCopy } from "@kv/core";
import { Packr } from "msgpackr/pack";
import { packable } from "./packable.ts";
import { unpacked } from "./unpacked.ts";

/**
 * Objects are plain maps, which every MessagePack reader knows: msgpackr's own records are smaller where many objects have
 * the same names, and do not survive every combination with Maps and shared references. `packable` marks Maps. No
 * method of a value is called: `toJSON` is ignored.
 */
const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  mapsAsObjects: true,
  moreTypes: true,
  useToJSON: false,
  copyBuffers: true,
});

/**
 * Compact bytes. Takes JSON and also: `undefined`, `NaN`, infinities, `Date`, `Map`, `Set`, BigInt, `RegExp`, typed
 * arrays and `ArrayBuffer`. Refused with their path, because they would not come back equal: what `structured` refuses,
 * and `-0`, holes, cycles, objects without a prototype or with a property named `__proto__`, `URL`, `URLSearchParams`,
 * boxed scalars and text that is not well-formed.
 */
export const msgpack: Codec = originated("@kv/msgpack", {
  name: "msgpack",
  encode: (value) => packr.pack(packable(structuredCopy(value, "msgpack"))),
  decode(payload) {
    if (typeof payload === "string") throw new Refusal("KV_CORRUPT", "bytes were expected");
    return unpacked(packr.unpack(payload), payload);
  },
});
