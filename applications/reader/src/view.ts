/** What is shown of a week, as elements: facts and table; and how a series is called. */

import type { Figures } from "./figures.ts";
import type { Series } from "./quoalise.ts";
import { LOCALES, interval, isKey, text, type Key, type Language } from "./texts.ts";

const DIRECTION = /_(consumption|injection|production)\//;

/** Return what a series is, for a list. */
export function nameOf(
  { identifier, interval: duration, name }: Series,
  direction: Key,
  language: Language,
): string {
  const [device = identifier] = identifier.split("_");
  const of = name ?? device.replace(/^urn:dev:/, "");
  return `${text(direction, language)}, ${interval(duration, language)} (${of})`;
}

/** Return the direction of an identifier; none for what is not of energy. */
export function directionIn(identifier: string): string {
  return DIRECTION.exec(identifier)?.[1] ?? "";
}

export function directionKey(direction: string): Key {
  return isKey(direction) ? direction : "other_direction";
}

/** Return the pairs of a list of definitions: energy, highest value, how many records there are. */
export function facts({ rows, unit, totalWh, expected }: Figures, language: Language): Node[] {
  const number = numbers(language);
  const highest = Math.max(...rows.map(({ value }) => value));
  const count = expected === null ? number(rows.length) : `${number(rows.length)} / ${number(expected)}`;
  const pairs: [Key, string][] = [
    ["highest", `${number(highest)}\u00a0${unit}`],
    ["records", count],
  ];
  if (totalWh !== null) pairs.unshift(["total", `${numbers(language, 1)(totalWh / 1000)}\u00a0kWh`]);
  return pairs.map(([key, value]) => {
    const pair = document.createElement("div");
    pair.append(made("dt", text(key, language)), made("dd", value));
    return pair;
  });
}

/** Return the heads of the columns, and the rows. */
export function table(
  { rows, unit }: Figures,
  language: Language,
): { heads: HTMLElement[]; rows: HTMLElement[] } {
  const number = numbers(language);
  const hasMembers = rows.some(({ members }) => members !== null);
  const heads = [
    text("time", language),
    `${text("value", language)} (${unit})`,
    ...(hasMembers ? [text("members", language), text("without_homes", language)] : []),
  ];
  const time = new Intl.DateTimeFormat(LOCALES[language], {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  });
  return {
    heads: heads.map((words) => scoped("col", words)),
    rows: rows.map(({ start, value, members, isWithoutHomes }) => {
      const row = document.createElement("tr");
      row.dataset["start"] = new Date(start).toISOString();
      row.dataset["value"] = String(value);
      row.append(scoped("row", time.format(start)), made("td", number(value)));
      if (hasMembers) {
        row.append(made("td", members === null ? "" : number(members)));
        row.append(made("td", isWithoutHomes ? text("yes", language) : ""));
      }
      return row;
    }),
  };
}

function numbers(language: Language, digits = 3): (value: number) => string {
  return new Intl.NumberFormat(LOCALES[language], { maximumFractionDigits: digits }).format;
}

/** Return an element with these words. */
export function made(name: string, words: string): HTMLElement {
  const element = document.createElement(name);
  element.textContent = words;
  return element;
}

function scoped(scope: string, words: string): HTMLElement {
  const head = made("th", words);
  head.setAttribute("scope", scope);
  return head;
}
