/** Field64 of VDAF: integers from 0 to P − 1. */

export const P = 2n ** 64n - 2n ** 32n + 1n;
export const ELEMENT_BYTES = 8;

/** Bytes or a number that the specification refuses: a `bad-request`. */
export class BadRequest extends Error {}

export function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

export function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = mod(base); exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

export function inverse(value: bigint): bigint {
  return power(value, P - 2n);
}

/** Return the sum of the products, modulo P. */
export function dot(weights: readonly bigint[], values: readonly bigint[]): bigint {
  let total = 0n;
  weights.forEach((weight, place) => (total += weight * at(values, place)));
  return mod(total);
}

/** Return the powers of a primitive root of unity of that order, from 1 on. */
export function roots(order: number): bigint[] {
  const root = power(7n, (P - 1n) / BigInt(order));
  return Array.from({ length: order }, (_, exponent) => power(root, BigInt(exponent)));
}

/** Read elements of 8 bytes, little-endian. Throws BadRequest where a number is P or more. */
export function decode(bytes: Uint8Array, count: number): bigint[] {
  if (bytes.length !== count * ELEMENT_BYTES) throw new BadRequest(`not ${count} elements`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: count }, (_, place) => {
    const element = view.getBigUint64(place * ELEMENT_BYTES, true);
    if (element >= P) throw new BadRequest("a number is not an element of the field");
    return element;
  });
}

export function encode(elements: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(elements.length * ELEMENT_BYTES);
  const view = new DataView(bytes.buffer);
  elements.forEach((element, place) => view.setBigUint64(place * ELEMENT_BYTES, element, true));
  return bytes;
}

/** Return an item that must be there. */
export function at<T>(items: readonly T[], place: number): T {
  const item = items[place];
  if (item === undefined) throw new RangeError(`no item ${place}`);
  return item;
}
