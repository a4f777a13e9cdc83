/** Shares of a report: what a collective was sent, or the masks, which the witness expands. */

import { concatenated, number, uint16, utf8 } from "./bytes.ts";
import { at, dot } from "./field.ts";
import { expand } from "./random.ts";

export const BITS = 16;
export const ELEMENTS = 82;
export const MOST_WH = 36_000;

/** Of the bits; every combination is a value of 0 to MOST_WH. */
export const WEIGHTS: readonly bigint[] = [
  ...Array.from({ length: BITS - 1 }, (_, bit) => 1n << BigInt(bit)),
  BigInt(MOST_WH - (2 ** (BITS - 1) - 1)),
];

export interface Subject {
  /** The bare JID of the collective. */
  readonly collective: string;
  readonly direction: string;
  /** Hours since 1970-01-01T00Z. */
  readonly hour: number;
}

/** Value and square, shared. */
export type Outputs = readonly [value: bigint, square: bigint];

export function encodedSubject(subject: Subject): Uint8Array {
  const texts = ["consometers report 1", subject.collective, subject.direction].map(utf8);
  const sized = texts.flatMap((text) => [uint16(text.length, false), text]);
  return concatenated(...sized, number(subject.hour));
}

export function masks(secret: Uint8Array, subject: Uint8Array, nonce: Uint8Array): bigint[] {
  return expand(secret, "consometers masks", concatenated(subject, nonce), ELEMENTS);
}

export function outputs(share: readonly bigint[]): Outputs {
  return [dot(WEIGHTS, share), at(share, BITS)];
}
