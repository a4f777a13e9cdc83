/** Quoalise: the commands of docs/protocol.md, and what answers contain. */

import { xml } from "@xmpp/client";
import type { Element } from "ltx";

export interface Series {
  readonly identifier: string;
  /** An ISO 8601 duration. */
  readonly interval: string;
  readonly unit: string;
  /** The start of its last record, as the node says it. */
  readonly last: string | null;
  /** The type of its device, if the node says it. */
  readonly device: string | null;
  /** Of a site, if it has one. */
  readonly name: string | null;
}

export interface DataRecord {
  readonly name: string;
  readonly unit: string;
  /** Milliseconds since 1970, of the start of the interval. */
  readonly start: number;
  readonly value: number;
}

/** An answer that is not as the protocol has it. */
export class NotQuoalise extends Error {}

/** At most this many in an answer; those of a collective come with two more series. */
export const RECORDS_IN_AN_ANSWER = 660;

const COMMANDS = "http://jabber.org/protocol/commands";
const FORM = "jabber:x:data";
const QUOALISE = "urn:quoalise:0";
const SENML = "urn:ietf:params:xml:ns:senml";
const EARLIEST_S = 2 ** 28;
const LATEST_S = Date.UTC(2100, 0) / 1000;
const VERSION = 10;
const LARGEST = 2 ** 53;
const NAME = /^[A-Za-z0-9][A-Za-z0-9\-:._/]{0,254}$/;
const MUST_BE_UNDERSTOOD = /_$/;
const NOT_NUMBERS = ["vs", "vb", "vd"];

export function listSeries(): Element {
  return command("list_series", {});
}

/** Ask for the records with start ≤ t < end. */
export function getHistory(identifier: string, start: Date, end: Date): Element {
  return command("get_history", {
    identifier,
    start_time: timestamp(start),
    end_time: timestamp(end),
  });
}

function command(node: string, fields: Record<string, string>): Element {
  const filled = Object.entries(fields).map(([name, value]) =>
    xml("field", { var: name, type: "text-single" }, xml("value", {}, value)),
  );
  const form = filled.length > 0 ? xml("x", { xmlns: FORM, type: "submit" }, filled) : undefined;
  return xml("command", { xmlns: COMMANDS, node, action: "execute" }, form);
}

function timestamp(time: Date): string {
  return `${time.toISOString().slice(0, 19)}+00:00`;
}

export function readSeries(answer: Element): Series[] {
  const items = completed(answer).getChild("x", FORM)?.getChildren("item") ?? [];
  return items.flatMap((item) => {
    const fields = new Map(
      item.getChildren("field").map((field) => [field.attrs["var"], field.getChildText("value")]),
    );
    const text = (name: string): string | null => fields.get(name) || null;
    const identifier = text("identifier");
    if (identifier === null) return [];
    return {
      identifier,
      interval: text("interval") ?? "",
      unit: text("unit") ?? "",
      last: text("last"),
      device: text("device"),
      name: text("name"),
    };
  });
}

/** Read the records of an answer, by name. Of records that come twice, the last one wins. */
export function readRecords(answer: Element): Map<string, DataRecord[]> {
  const sensml = data(answer)?.getChild("sensml", SENML);
  if (sensml === undefined) throw new NotQuoalise("there is no data in the answer");
  const series = new Map<string, Map<number, DataRecord>>();
  for (const record of resolved(sensml.getChildren("senml"))) {
    const records = series.get(record.name) ?? new Map<number, DataRecord>();
    series.set(record.name, records.set(record.start, record));
  }
  return new Map(
    [...series].map(([name, records]) => [
      name,
      [...records.values()].toSorted((one, other) => one.start - other.start),
    ]),
  );
}

/** Return the direction of the records. */
export function readDirection(answer: Element): string | null {
  const meta = data(answer)?.getChild("meta", QUOALISE);
  const direction = meta?.getChild("measurement", QUOALISE)?.attrs["direction"] ?? null;
  const device = meta?.getChild("device", QUOALISE)?.attrs["type"];
  return direction === null ? null : directionAt(device ?? null, direction);
}

/** Return a direction as people call it: what a meter calls production is what it injects. */
export function directionAt(device: string | null, direction: string): string {
  return direction === "production" && device === "electricity-meter" ? "injection" : direction;
}

function data(answer: Element): Element | undefined {
  return completed(answer).getChild("quoalise", QUOALISE)?.getChild("data", QUOALISE);
}

/** Apply base fields, which hold from the record that has them onwards (RFC 8428 §4.6). */
function* resolved(pack: Iterable<Element>): Generator<DataRecord> {
  const base = { name: "", time: 0, unit: "", value: 0, version: VERSION };
  for (const { attrs } of pack) {
    const odd = Object.keys(attrs).find((name) => MUST_BE_UNDERSTOOD.test(name));
    if (odd !== undefined) throw new NotQuoalise(`the field ${odd} must be understood`);
    if (NOT_NUMBERS.some((name) => name in attrs)) throw new NotQuoalise("a value is no number");
    base.name = attrs["bn"] ?? base.name;
    base.time = numberOf(attrs["bt"]) ?? base.time;
    base.unit = attrs["bu"] ?? base.unit;
    base.value = numberOf(attrs["bv"]) ?? base.value;
    base.version = numberOf(attrs["bver"]) ?? base.version;
    if (base.version > VERSION) throw new NotQuoalise(`version ${base.version} of SenML`);
    const value = numberOf(attrs["v"]);
    if (value === null) {
      if (attrs["s"] !== undefined) throw new NotQuoalise("a record has a sum and no value");
      continue;
    }
    const time = base.time + (numberOf(attrs["t"]) ?? 0);
    if (time < EARLIEST_S || time >= LATEST_S) throw new NotQuoalise("a time is none");
    const name = base.name + (attrs["n"] ?? "");
    if (!NAME.test(name)) throw new NotQuoalise("a name is none");
    const sum = base.value + value;
    if (Math.abs(sum) > LARGEST) throw new NotQuoalise("a value is too large");
    yield { name, unit: attrs["u"] ?? base.unit, start: time * 1000, value: sum };
  }
}

function numberOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new NotQuoalise("a number is none");
  return value;
}

/** Return the command of an answer. A stage that is not the last one has other answers. */
function completed(answer: Element): Element {
  const answered = answer.getChild("command", COMMANDS);
  if (answered?.attrs["status"] !== "completed") throw new NotQuoalise("the command did not end");
  return answered;
}
