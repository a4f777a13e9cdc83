/** The requests of a collective to its witness, out of their XML: `<verification>`, `<opening>`. */

import { fromBase64, fromHex, toHex } from "./bytes.ts";
import { BadRequest, P } from "./field.ts";

/** As ltx, and any other parser of XML, has elements. */
export interface XmlElement {
  readonly attrs: Readonly<Record<string, string | undefined>>;
  getChildren(name: string): XmlElement[];
  text(): string;
}

/** A report, as a collective names it to its witness. */
export interface Row {
  readonly pseudonym: string;
  /** Days since 1970-01-01, of the key that masks the report. */
  readonly day: number;
  readonly nonce: Uint8Array;
  readonly verifier: Uint8Array;
}

export interface Verification {
  readonly id: string;
  readonly direction: string;
  /** Hours since 1970-01-01T00Z. */
  readonly hour: number;
  readonly key: Uint8Array;
  readonly groups: ReadonlyMap<string, readonly Row[]>;
}

export interface MaskedSum {
  readonly masked: bigint;
  readonly squares: bigint;
}

const HOUR_MS = 3_600_000;
const KEY_BYTES = 32;
const ROW_BYTES = 66;
const DIRECTIONS = ["consumption", "injection", "production"];

/** Join the parts of a verification. Throws BadRequest. */
export function readVerification(parts: readonly XmlElement[]): Verification {
  const heads = parts.map(readHead);
  const [first] = heads;
  if (first === undefined || heads.some((head) => !isSame(head, first))) {
    throw new BadRequest("the parts are not of one verification");
  }
  const groups = new Map<string, Row[]>();
  for (const part of parts) {
    for (const homes of part.getChildren("homes")) {
      const name = groupName(attribute(homes, "group"));
      groups.set(name, [...(groups.get(name) ?? []), ...readRows(homes.text())]);
    }
  }
  return { ...first, groups };
}

/** Join the parts of an opening: the sums of each group. Throws BadRequest. */
export function readOpening(parts: readonly XmlElement[], id: string): Map<string, MaskedSum> {
  const sums = new Map<string, MaskedSum>();
  for (const part of parts) {
    if (attribute(part, "id") !== id) throw new BadRequest("the opening is of another verification");
    for (const sum of part.getChildren("sum")) {
      const name = groupName(attribute(sum, "group"));
      if (sums.has(name)) throw new BadRequest(`group ${name} is there twice`);
      sums.set(name, {
        masked: readElement(attribute(sum, "masked")),
        squares: readElement(attribute(sum, "masked-squares")),
      });
    }
  }
  return sums;
}

type Head = Omit<Verification, "groups">;

function readHead(part: XmlElement): Head {
  const direction = attribute(part, "direction");
  if (!DIRECTIONS.includes(direction)) throw new BadRequest("no such direction");
  const hour = Date.parse(attribute(part, "hour")) / HOUR_MS;
  if (!Number.isInteger(hour)) throw new BadRequest("not the start of an hour");
  const digits = attribute(part, "verification-key");
  if (!/^[0-9a-f]*$/.test(digits) || digits.length !== 2 * KEY_BYTES) {
    throw new BadRequest("not a verification key");
  }
  return { id: attribute(part, "id"), direction, hour, key: fromHex(digits) };
}

function isSame(one: Head, other: Head): boolean {
  return (
    one.id === other.id &&
    one.direction === other.direction &&
    one.hour === other.hour &&
    toHex(one.key) === toHex(other.key)
  );
}

function readRows(text: string): Row[] {
  const packed = bytesOf(text);
  if (packed.length === 0 || packed.length % ROW_BYTES !== 0) throw new BadRequest("not whole rows");
  return Array.from({ length: packed.length / ROW_BYTES }, (_, place) => {
    const row = packed.slice(place * ROW_BYTES, (place + 1) * ROW_BYTES);
    return {
      pseudonym: uuid(row.slice(0, 16)),
      day: new DataView(row.buffer).getUint16(16),
      nonce: row.slice(18, 34),
      verifier: row.slice(34),
    };
  });
}

function readElement(digits: string): bigint {
  if (!/^[0-9a-f]{16}$/.test(digits)) throw new BadRequest("not 16 hexadecimal digits");
  const element = BigInt(`0x${digits}`);
  if (element >= P) throw new BadRequest("a number is not an element of the field");
  return element;
}

function groupName(name: string): string {
  if (!/^(0|[1-9][0-9]{0,11})$/.test(name)) {
    throw new BadRequest("a group is a whole number without leading zeros");
  }
  return name;
}

function attribute(element: XmlElement, name: string): string {
  const value = element.attrs[name];
  if (value === undefined) throw new BadRequest(`${name} is missing`);
  return value;
}

function bytesOf(base64: string): Uint8Array {
  try {
    return fromBase64(base64);
  } catch {
    throw new BadRequest("not base64");
  }
}

function uuid(bytes: Uint8Array): string {
  return toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
