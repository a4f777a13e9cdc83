/** Elements of the field from a seed: "Random elements" of the specification. */

import { shake128 } from "@noble/hashes/sha3.js";

import { concatenated, uint16, utf8 } from "./bytes.ts";
import { ELEMENT_BYTES, P } from "./field.ts";

export function expand(
  seed: Uint8Array,
  domain: string,
  binder: Uint8Array,
  count: number,
): bigint[] {
  const label = utf8(domain);
  const framed = concatenated(
    uint16(label.length, true),
    label,
    Uint8Array.of(seed.length),
    seed,
    binder,
  );
  const stream = shake128.create().update(framed);
  const elements: bigint[] = [];
  while (elements.length < count) {
    const bytes = stream.xof(ELEMENT_BYTES);
    const element = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
    if (element < P) elements.push(element);
  }
  return elements;
}
