/** What a week of records says: the rows of the table, the sum, the file. */

import type { DataRecord } from "./quoalise.ts";
import { hoursOf, type Week } from "./week.ts";

export interface Row {
  readonly start: number;
  readonly value: number;
  /** Beside a collective's value. */
  readonly members: number | null;
  readonly isWithoutHomes: boolean;
}

export interface Figures {
  readonly identifier: string;
  readonly unit: string;
  readonly hours: number | null;
  readonly rows: readonly Row[];
  /** The energy, where records are of energies or mean powers. */
  readonly totalWh: number | null;
  /** Of the week up to now; null where the interval has no fixed length. */
  readonly expected: number | null;
}

const HOUR_MS = 3_600_000;

/** Compute figures from the records of one answer or several, by name; drop others than asked. */
export function figuresOf(
  identifier: string,
  interval: string,
  answers: readonly ReadonlyMap<string, readonly DataRecord[]>[],
  week: Week,
  now: Date,
): Figures {
  const within = (name: string): DataRecord[] =>
    answers
      .flatMap((answer) => answer.get(name) ?? [])
      .filter(({ start }) => start >= week.start.getTime() && start < week.end.getTime());
  const members = new Map(within(`${identifier}/members`).map((each) => [each.start, each.value]));
  const marked = new Set(within(`${identifier}/without-homes`).map(({ start }) => start));
  const records = within(identifier);
  const rows = records.map(({ start, value }) => ({
    start,
    value,
    members: members.get(start) ?? null,
    isWithoutHomes: marked.has(start),
  }));
  const hours = hoursOf(interval);
  const unit = records[0]?.unit ?? "";
  return {
    identifier,
    unit,
    hours,
    rows,
    totalWh: totalOf(rows, identifier, unit, hours),
    expected: expectedOf(week, hours, now),
  };
}

function totalOf(
  rows: readonly Row[],
  identifier: string,
  unit: string,
  hours: number | null,
): number | null {
  const sum = rows.reduce((total, { value }) => total + value, 0);
  if (rows.length === 0) return null;
  if (unit === "W" && hours !== null) return sum * hours;
  return unit === "Wh" && !identifier.endsWith("/index") ? sum : null;
}

function expectedOf(week: Week, hours: number | null, now: Date): number | null {
  if (hours === null) return null;
  const passed = Math.min(now.getTime(), week.end.getTime()) - week.start.getTime();
  return Math.max(0, Math.floor(passed / HOUR_MS / hours + (hours >= 24 ? 0.5 : 0)));
}

export function csv({ rows, unit }: Figures): string {
  const hasMembers = rows.some(({ members }) => members !== null);
  const heads = ["start", "value", "unit", ...(hasMembers ? ["members", "without_homes"] : [])];
  const lines = rows.map(({ start, value, members, isWithoutHomes }) => [
    new Date(start).toISOString().replace(".000Z", "Z"),
    value,
    unit,
    ...(hasMembers ? [members ?? "", isWithoutHomes ? 1 : ""] : []),
  ]);
  return [heads, ...lines].map((cells) => `${cells.join(",")}\r\n`).join("");
}
