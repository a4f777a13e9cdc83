/**
 * A witness's checks before it opens a sum of masked reports: "A verification" and "An opening" of
 * the specification. Pure: enrolments, marks and earlier answers are the caller's to store.
 */

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";

import { concatenated, number, toHex, utf8 } from "./bytes.ts";
import { BadRequest, decode, mod } from "./field.ts";
import { secretOn, type DayKey } from "./keys.ts";
import type { MaskedSum, Row, Verification } from "./messages.ts";
import { Query, VERIFIER_ELEMENTS, isValid } from "./query.ts";
import { MOST_WH, encodedSubject, masks, outputs, type Subject } from "./report.ts";

export interface Home {
  /** The key that the witness holds. */
  readonly key: DayKey;
  readonly directions: ReadonlySet<string>;
  /** The fewest homes of a sum with this one. */
  readonly minimum: number;
}

/** What a witness has stored about a collective. */
export interface Knowledge {
  readonly homes: ReadonlyMap<string, Home>;
  /** Days since 1970-01-01, of UTC. */
  readonly today: number;
  /** The homes that are marked for the hour and direction. */
  readonly marked: ReadonlySet<string>;
  /** The `fingerprint` of reports that were verified before, by home. */
  readonly verified: ReadonlyMap<string, string>;
  /** The hour, with its fraction, at which the witness noticed that it was set back. */
  readonly setBackAt?: number;
}

export type Fault =
  | "not-enrolled"
  | "repeated"
  | "too-few"
  | "key-forgotten"
  | "opened-before"
  | "invalid";

/** Homes by the reason that refuses them; no home stands for all homes. */
export type Faults = ReadonlyMap<Fault, ReadonlySet<string>>;

/** Homes, the sum of their values, and that of the squares; or those of their masks. */
interface Moments {
  readonly homes: number;
  readonly wh: bigint;
  readonly squares: bigint;
}

export interface Verdict {
  readonly faults: Faults;
  /** The sums of masks by group, where all homes passed. */
  readonly masks: ReadonlyMap<string, Moments>;
  /** Of each report that was verified: the caller stores them. */
  readonly fingerprints: ReadonlyMap<string, string>;
}

export type Answer =
  | { readonly groups: readonly string[]; readonly homes: number; readonly wh: number }
  | { readonly groups: readonly string[]; readonly reason: "implausible" | "dominance" };

const KEYS_FOR_DAYS = 35;
const HOUR_MS = 3_600_000;
const NOTHING: Pick<Verdict, "masks" | "fingerprints"> = { masks: new Map(), fingerprints: new Map() };

/** Check the homes of a request, then their reports. Throws BadRequest. */
export function verify(asked: Verification, collective: string, known: Knowledge): Verdict {
  if (known.setBackAt !== undefined && asked.hour < known.setBackAt) {
    return { faults: new Map([["opened-before", new Set()]]), ...NOTHING };
  }
  const faults = homesAtFault(asked, known);
  if (faults.size > 0) return { faults, ...NOTHING };
  const query = new Query(asked.key, asked.direction, asked.hour);
  const subject = encodedSubject({ ...asked, collective });
  const invalid = new Set<string>();
  const fingerprints = new Map<string, string>();
  const sums = new Map<string, Moments>();
  for (const [name, rows] of asked.groups) {
    let wh = 0n;
    let squares = 0n;
    for (const row of rows) {
      const { key } = home(known, row);
      const share = masks(secretOn(key, row.day), subject, row.nonce);
      const sent = decode(row.verifier, VERIFIER_ELEMENTS);
      const now = fingerprint(row, asked.key);
      fingerprints.set(row.pseudonym, now);
      const before = known.verified.get(row.pseudonym) ?? now;
      if (before !== now || !isValid(sent, query.ask(share))) invalid.add(row.pseudonym);
      const [value, square] = outputs(share);
      wh += value;
      squares += square;
    }
    sums.set(name, { homes: rows.length, wh: mod(wh), squares: mod(squares) });
  }
  if (invalid.size > 0) {
    return { faults: new Map([["invalid", invalid]]), masks: new Map(), fingerprints };
  }
  return { faults: new Map(), masks: sums, fingerprints };
}

/** Open the groups of a request whose homes all passed. Throws BadRequest. */
export function open(
  subject: Subject,
  masksOf: Verdict["masks"],
  sent: ReadonlyMap<string, MaskedSum>,
  secret: Uint8Array,
): Answer[] {
  if (sent.size !== masksOf.size) throw new BadRequest("other groups than those verified");
  const cells = [...sent].map(([name, sum]): Cell => {
    const mask = masksOf.get(name);
    if (mask === undefined) throw new BadRequest("other groups than those verified");
    const wh = mod(sum.masked + mask.wh);
    return { groups: [name], homes: mask.homes, wh, squares: mod(sum.squares + mask.squares) };
  });
  const [plausible, implausible] = parted(cells, (cell) => cell.wh <= BigInt(cell.homes * MOST_WH));
  return [
    ...implausible.map(({ groups }): Answer => ({ groups, reason: "implausible" })),
    ...pooled(plausible, dominanceBound(secret, subject)),
  ];
}

/** Return the hash that tells a report, as it was verified, from another one. */
export function fingerprint(row: Row, verificationKey: Uint8Array): string {
  return toHex(sha256(concatenated(verificationKey, row.nonce, number(row.day), row.verifier)));
}

/** Return the bound of dominance, in hundredths of a percent. */
export function dominanceBound(secret: Uint8Array, subject: Subject): number {
  const start = new Date(subject.hour * HOUR_MS).toISOString();
  const drawn = (kind: string, when: string): number => {
    const text = [kind, when, subject.collective, subject.direction].map(asciiJson).join(", ");
    const mac = hmac(sha256, secret, utf8(`[${text}]`));
    return Number(new DataView(mac.buffer, mac.byteOffset).getBigUint64(0) % 201n);
  };
  return 3_700 + drawn("month", start.slice(0, 7)) + drawn("day", start.slice(0, 10));
}

interface Cell extends Moments {
  readonly groups: readonly string[];
}

function homesAtFault(asked: Verification, known: Knowledge): Faults {
  const faults = new Map<Fault, Set<string>>();
  const seen = new Set<string>();
  const blame = (reason: Fault, pseudonym: string): void => {
    faults.set(reason, (faults.get(reason) ?? new Set()).add(pseudonym));
  };
  for (const rows of asked.groups.values()) {
    for (const { pseudonym, day } of rows) {
      const home = known.homes.get(pseudonym);
      const oldest = Math.max(known.today - KEYS_FOR_DAYS, home?.key.day ?? 0);
      if (!home?.directions.has(asked.direction)) blame("not-enrolled", pseudonym);
      else if (seen.has(pseudonym)) blame("repeated", pseudonym);
      else if (rows.length < home.minimum) blame("too-few", pseudonym);
      else if (day < oldest || day > known.today) blame("key-forgotten", pseudonym);
      seen.add(pseudonym);
    }
  }
  for (const pseudonym of seen) if (known.marked.has(pseudonym)) blame("opened-before", pseudonym);
  return faults;
}

function home(known: Knowledge, row: Row): Home {
  const enrolled = known.homes.get(row.pseudonym);
  if (enrolled === undefined) throw new RangeError("a home that is not enrolled was not refused");
  return enrolled;
}

/** Open cells, and put together those that one home dominates. */
function pooled(cells: readonly Cell[], bound: number): Answer[] {
  const isDominated = (cell: Moments): boolean =>
    10_000n * cell.squares > BigInt(bound) * cell.wh ** 2n;
  const [pool, passing] = parted(cells, isDominated);
  const smallestFirst = passing.toSorted(
    (one, other) => one.homes - other.homes || (one.groups.join() < other.groups.join() ? -1 : 1),
  );
  let together = added(pool);
  while (isDominated(together)) {
    const next = smallestFirst.shift();
    if (next === undefined) break;
    together = added([together, next]);
  }
  const answers = smallestFirst.map(opened);
  if (together.groups.length === 0) return answers;
  const { groups } = together;
  return [...answers, isDominated(together) ? { groups, reason: "dominance" } : opened(together)];
}

function opened({ groups, homes, wh }: Cell): Answer {
  return { groups, homes, wh: Number(wh) };
}

function added(cells: readonly Cell[]): Cell {
  return {
    groups: cells.flatMap((cell) => cell.groups),
    homes: cells.reduce((homes, cell) => homes + cell.homes, 0),
    wh: cells.reduce((wh, cell) => wh + cell.wh, 0n),
    squares: cells.reduce((squares, cell) => squares + cell.squares, 0n),
  };
}

function parted<T>(items: readonly T[], test: (item: T) => boolean): [passed: T[], rest: T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}

/** Return a text in JSON, with characters beyond ASCII as `\u` and four digits. */
function asciiJson(text: string): string {
  return JSON.stringify(text).replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
