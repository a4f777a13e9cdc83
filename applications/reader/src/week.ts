/** Weeks of the reader's own time zone, from Monday to Sunday, and the parts to ask for. */

import { RECORDS_IN_AN_ANSWER } from "./quoalise.ts";

export interface Week {
  readonly start: Date;
  readonly end: Date;
}

const DAYS = 7;
const HOUR_MS = 3_600_000;

export function weekOf(day: Date): Week {
  const sinceMonday = (day.getDay() + DAYS - 1) % DAYS;
  const date = day.getDate() - sinceMonday;
  const midnight = (days: number) => new Date(day.getFullYear(), day.getMonth(), date + days);
  return { start: midnight(0), end: midnight(DAYS) };
}

export function moved(week: Week, weeks: number): Week {
  const { start } = week;
  return weekOf(new Date(start.getFullYear(), start.getMonth(), start.getDate() + weeks * DAYS));
}

/** Return the day as a date field has it. */
export function isoDay(day: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

/** Read a date field; null where it has no day of this protocol's years. */
export function readDay(text: string): Date | null {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? [];
  if (year === undefined || year < "1979" || year > "2098") return null;
  return new Date(Number(year), Number(month) - 1, Number(day));
}

/** Return the hours of an ISO 8601 duration of weeks, days, hours, minutes or seconds, else null. */
export function hoursOf(duration: string): number | null {
  const parts = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(duration);
  if (parts === null) return null;
  const [weeks, days, hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0));
  const total =
    (weeks ?? 0) * 168 + (days ?? 0) * 24 + (hours ?? 0) + (minutes ?? 0) / 60 + (seconds ?? 0) / 3600;
  return total > 0 ? total : null;
}

/** Return ranges that have no more records than an answer may. */
export function ranges(week: Week, hours: number | null): Week[] {
  const step = RECORDS_IN_AN_ANSWER * (hours ?? 1) * HOUR_MS;
  const parts: Week[] = [];
  for (let start = week.start; start < week.end; ) {
    const end = new Date(Math.min(start.getTime() + step, week.end.getTime()));
    parts.push({ start, end });
    start = end;
  }
  return parts;
}
