/** The key of a home, which changes every day. */

import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";

import { utf8 } from "./bytes.ts";

const KEY_BYTES = 32;

export interface DayKey {
  /** Days since 1970-01-01, of UTC. */
  readonly day: number;
  readonly secret: Uint8Array;
}

/** Return the secret of a day. There is no way back to the days before. */
export function secretOn(key: DayKey, day: number): Uint8Array {
  if (day < key.day) throw new RangeError("the key of that day is forgotten");
  let secret = key.secret;
  for (let passed = key.day; passed < day; passed++) secret = derived(secret, "next");
  return secret;
}

/** Return the key of requests to the witness, from the key of the day of enrolment. */
export function authenticationKey(first: Uint8Array): Uint8Array {
  return derived(first, "authentication");
}

function derived(secret: Uint8Array, info: string): Uint8Array {
  return hkdf(sha256, secret, undefined, utf8(info), KEY_BYTES);
}
