/**
 * The query of an hour and direction, and what a verifier decides.
 *
 * All four elements of a verifier are linear in the share. So the query is four rows of weights,
 * computed once from barycentric Lagrange interpolation; a share costs four dot products.
 */

import { concatenated, number, utf8 } from "./bytes.ts";
import { BadRequest, at, dot, inverse, mod, power, roots } from "./field.ts";
import { expand } from "./random.ts";
import { BITS, ELEMENTS, WEIGHTS } from "./report.ts";

export type Verifier = readonly bigint[];
export const VERIFIER_ELEMENTS = 4;

const CALLS = BITS + 1;
const WIRE_ORDER = 32;
const GADGET_ORDER = 64;
const ALPHA = roots(WIRE_ORDER);
const BETA = roots(GADGET_ORDER);

/** Places in a share. */
const SEEDS = BITS + 1;
const VALUES = BITS + 3;
const SENT_VALUES = GADGET_ORDER - 1;

export class Query {
  readonly #rows: readonly (readonly bigint[])[];

  /** Throws BadRequest where the test point is a 32nd root of unity. */
  constructor(key: Uint8Array, direction: string, hour: number) {
    const binder = concatenated(utf8(direction), number(hour));
    const drawn = expand(key, "consometers query", binder, CALLS + 1);
    const point = at(drawn, CALLS);
    if (power(point, BigInt(WIRE_ORDER)) === 1n) throw new BadRequest("the test point is a root");
    const wire = interpolation(ALPHA, point);
    this.#rows = [
      validityRow(drawn.slice(0, CALLS)),
      wireRow(wire, SEEDS),
      wireRow(wire, SEEDS + 1),
      gadgetRow(interpolation(BETA, point)),
    ];
  }

  /** Return the verifier of a share. */
  ask(share: readonly bigint[]): Verifier {
    return this.#rows.map((row) => dot(row, share));
  }
}

/** Return whether the verifiers of both servers are those of a valid report. */
export function isValid(collective: Verifier, witness: Verifier): boolean {
  const [validity, left, right, product] = collective.map((element, place) =>
    mod(element + at(witness, place)),
  ) as [bigint, bigint, bigint, bigint];
  return validity === 0n && mod(left * right) === product;
}

/** Return what each value at the roots weighs in the value of the polynomial at a point. */
function interpolation(points: readonly bigint[], point: bigint): bigint[] {
  const order = BigInt(points.length);
  const scale = mod((power(point, order) - 1n) * inverse(order));
  // A test point that is a 64th root of unity, and no 32nd one, is allowed.
  if (scale === 0n) return points.map((root) => (root === point ? 1n : 0n));
  return points.map((root) => mod(mod(scale * root) * inverse(point - root)));
}

function emptyRow(): bigint[] {
  return Array.from({ length: ELEMENTS }, () => 0n);
}

function validityRow(factors: readonly bigint[]): bigint[] {
  const row = emptyRow();
  factors.forEach((factor, call) => {
    // G(αᵏ) is the value at β²ᵏ, with k from 1 on; places 0 to 16 are the bits, then the square.
    row[VALUES + 2 * (call + 1)] = factor;
    row[call] = mod(-factor);
  });
  return row;
}

/** L or R: seed, bits, the weighted sum of the bits, then zeros. */
function wireRow(weights: readonly bigint[], seed: number): bigint[] {
  const row = emptyRow();
  row[seed] = at(weights, 0);
  for (let bit = 0; bit < BITS; bit++) {
    row[bit] = mod(at(weights, bit + 1) + at(weights, CALLS) * at(WEIGHTS, bit));
  }
  return row;
}

/** G, whose last value is no part of a share: Σ G(βⁱ)·βⁱ = 0. */
function gadgetRow(weights: readonly bigint[]): bigint[] {
  const row = emptyRow();
  const last = mod(at(weights, SENT_VALUES) * inverse(at(BETA, SENT_VALUES)));
  for (let place = 0; place < SENT_VALUES; place++) {
    row[VALUES + place] = mod(at(weights, place) - last * at(BETA, place));
  }
  return row;
}
