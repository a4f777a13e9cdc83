/** The week as a picture: steps of the mean power, or bars of energies, with gaps where nothing is. */

import type { Figures } from "./figures.ts";
import { LOCALES, type Language } from "./texts.ts";
import type { Week } from "./week.ts";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 240;
const MARGIN = { top: 12, right: 8, bottom: 26, left: 52 };
const HOUR_MS = 3_600_000;
const DAYS = 7;
/** Below this, names of days alone fit. */
const NARROW = 480;
const TICKS = 4;

type Attributes = Readonly<Record<string, string | number>>;

/** Draw in as many pixels as there is room for. */
export function chart(
  figures: Figures,
  week: Week,
  width: number,
  language: Language,
  label: string,
): SVGElement {
  const start = week.start.getTime();
  const across = (time: number): number =>
    MARGIN.left + ((time - start) / (week.end.getTime() - start)) * (width - MARGIN.left - MARGIN.right);
  const values = figures.rows.map(({ value }) => value);
  const [lowest, highest] = [Math.min(0, ...values), Math.max(0, ...values)];
  const step = tick((highest - lowest) / TICKS);
  const [bottom, top] = [Math.floor(lowest / step) * step, Math.max(Math.ceil(highest / step), 1) * step];
  const down = (value: number): number =>
    MARGIN.top + ((top - value) / (top - bottom)) * (HEIGHT - MARGIN.top - MARGIN.bottom);

  const svg = element("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img" });
  svg.setAttribute("aria-label", label);
  const scale = top >= 10_000 ? 1000 : 1;
  const format = new Intl.NumberFormat(LOCALES[language], { maximumFractionDigits: 2 });
  for (let value = bottom; value <= top + step / 2; value += step) {
    const y = down(value);
    svg.append(element("line", { class: "rule", x1: MARGIN.left, x2: width - MARGIN.right, y1: y, y2: y }));
    const words = `${format.format(value / scale)}\u00a0${scale === 1 ? "" : "k"}${figures.unit}`;
    svg.append(caption(words, MARGIN.left - 6, y + 4, "end"));
  }
  const day = new Intl.DateTimeFormat(LOCALES[language], {
    weekday: "short",
    ...(width < NARROW ? {} : { day: "numeric" }),
  });
  for (let number = 0; number < DAYS; number++) {
    const midnight = new Date(week.start);
    midnight.setDate(midnight.getDate() + number);
    const noon = new Date(midnight.getTime() + 12 * HOUR_MS);
    const x = across(midnight.getTime());
    svg.append(element("line", { class: "rule", x1: x, x2: x, y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom }));
    svg.append(caption(day.format(noon), across(noon.getTime()), HEIGHT - 8, "middle"));
  }
  const length = (figures.hours ?? 1) * HOUR_MS;
  const runs = contiguous(figures.rows, length);
  const line = runs.map((run) =>
    run
      .map(({ start, value }, place) => {
        const to = `${across(start)} ${down(value)}H${across(start + length)}`;
        return place === 0 ? `M${to}` : `L${to}`;
      })
      .join(""),
  );
  const area = runs.map(
    (run, place) => `${line[place]}V${down(0)}H${across(run[0]?.start ?? start)}Z`,
  );
  svg.append(element("path", { class: "area", d: area.join("") }));
  svg.append(element("path", { class: "line", d: line.join("") }));
  return svg;
}

function contiguous<T extends { readonly start: number }>(rows: readonly T[], length: number): T[][] {
  const runs: T[][] = [];
  let end = Number.NaN;
  for (const row of rows) {
    // A civil day has 23 to 25 hours.
    if (Math.abs(row.start - end) <= (length >= 24 * HOUR_MS ? HOUR_MS : 0)) runs.at(-1)?.push(row);
    else runs.push([row]);
    end = row.start + length;
  }
  return runs;
}

/** Return a round number from a value on. */
function tick(value: number): number {
  const size = 10 ** Math.floor(Math.log10(value || 1));
  return ([1, 2, 2.5, 5].find((factor) => factor * size >= value) ?? 10) * size;
}

function element(name: string, attributes: Attributes): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

function caption(words: string, x: number, y: number, anchor: string): SVGElement {
  const made = element("text", { x, y, "text-anchor": anchor });
  made.textContent = words;
  return made;
}
