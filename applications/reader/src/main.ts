/** The page: its forms, what they ask for, and how answers look. */

import { chart } from "./chart.ts";
import {
  Failure,
  Refusal,
  Session,
  findWebSocket,
  nodeAddress,
  readAccount,
  type Problem,
} from "./connection.ts";
import { csv, figuresOf, type Figures } from "./figures.ts";
import {
  NotQuoalise,
  directionAt,
  getHistory,
  listSeries,
  readDirection,
  readRecords,
  readSeries,
  type Series,
} from "./quoalise.ts";
import { LOCALES, refused, text, type Key, type Language } from "./texts.ts";
import { directionIn, directionKey, facts, made, nameOf, table } from "./view.ts";
import { hoursOf, isoDay, moved, ranges, readDay, weekOf, type Week } from "./week.ts";

/** What the site's operator has set for its visitors, in settings.json. */
interface Settings {
  /** Accounts of this domain use `websocket`, which may be a path of this site. */
  readonly domain?: string;
  readonly websocket?: string;
  /** The home or collective that most visitors read. */
  readonly node?: string;
}

interface Notice {
  readonly key: Key;
  /** What the node says, in its words and in the language of the request. */
  readonly quoted: string;
  readonly language: Language;
}

interface Shown {
  readonly figures: Figures;
  readonly direction: Key;
  readonly week: Week;
}

const MOST_QUOTED = 1_000;

let language: Language = navigator.language.startsWith("fr") ? "fr" : "en";
let settings: Settings = {};
let session: Session | null = null;
let node = "";
let listed: readonly Series[] = [];
let shown: Shown | null = null;
/** Of each series that was shown: a list may not tell injection from production. */
const directions = new Map<string, Key>();
let notice: Notice | null = null;
let isBusy = false;

function byId<Name extends keyof HTMLElementTagNameMap>(name: Name, id: string): HTMLElementTagNameMap[Name] {
  const found = document.querySelector<HTMLElementTagNameMap[Name]>(`${name}#${id}`);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found;
}

const page = {
  account: byId("input", "account"),
  busy: byId("p", "busy"),
  chart: byId("div", "chart"),
  choice: byId("form", "choice"),
  day: byId("input", "day"),
  facts: byId("dl", "facts"),
  figures: byId("section", "figures"),
  heading: byId("h1", "heading"),
  heads: byId("tr", "heads"),
  identifier: byId("code", "identifier"),
  logOut: byId("button", "log-out"),
  login: byId("form", "login"),
  node: byId("input", "node"),
  nodes: byId("form", "nodes"),
  notice: byId("div", "notice"),
  other: byId("input", "other"),
  password: byId("input", "password"),
  place: byId("details", "place"),
  reading: byId("div", "reading"),
  rows: byId("tbody", "rows"),
  series: byId("select", "series"),
  server: byId("input", "server"),
  week: byId("h2", "week"),
};

// What a person does.

async function logIn(): Promise<void> {
  const account = readAccount(page.account.value);
  const password = page.password.value;
  const typed = page.server.value.trim();
  const isOurs = account.domain === settings.domain && settings.websocket !== undefined;
  const service =
    typed || (isOurs ? webSocketHere(settings.websocket) : await findWebSocket(account.domain));
  session = await Session.open(account, password, service, language, connectionLost);
  page.password.value = "";
  render();
  page.heading.focus();
  if (page.node.value) await list();
}

async function logOut(): Promise<void> {
  const closing = session;
  forget();
  render();
  page.account.focus();
  await closing?.close();
}

function connectionLost(): void {
  forget();
  notice = { key: "problem_lost", quoted: "", language };
  render();
}

/** Forget all that was read. */
function forget(): void {
  session = null;
  listed = [];
  shown = null;
  notice = null;
  directions.clear();
}

async function list(): Promise<void> {
  listed = [];
  shown = null;
  node = nodeAddress(page.node.value);
  listed = readSeries(await ask(listSeries()));
  const [first] = listed;
  if (first === undefined) {
    notice = { key: "problem_no_series", quoted: "", language };
    return;
  }
  fillSeries();
  page.other.value = "";
  page.day.value = isoDay(lastDay(first));
  await show();
}

async function show(): Promise<void> {
  const identifier = page.other.value.trim() || page.series.value;
  const day = readDay(page.day.value);
  shown = null;
  if (day === null) {
    page.day.setAttribute("aria-invalid", "true");
    notice = { key: "problem_no_day", quoted: "", language };
    return;
  }
  const week = weekOf(day);
  const duration = listed.find((series) => series.identifier === identifier)?.interval ?? "PT1H";
  const answers = [];
  for (const { start, end } of ranges(week, hoursOf(duration))) {
    answers.push(await ask(getHistory(identifier, start, end)));
  }
  const records = answers.map(readRecords);
  const direction = directionKey(
    answers.map(readDirection).find(Boolean) ?? directionIn(identifier),
  );
  directions.set(identifier, direction);
  const figures = figuresOf(identifier, duration, records, week, new Date());
  shown = { figures, direction, week };
  if (shown.figures.rows.length === 0) notice = { key: "problem_no_records", quoted: "", language };
}

async function turn(weeks: number): Promise<void> {
  const week = shown?.week ?? weekOf(readDay(page.day.value) ?? new Date());
  page.day.value = isoDay(moved(week, weeks).start);
  await show();
}

function download(): void {
  if (shown === null) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv(shown.figures)], { type: "text/csv" }));
  link.download = `${isoDay(shown.week.start)}.csv`;
  link.click();
  URL.revokeObjectURL(link.href);
}

async function ask(command: Parameters<Session["ask"]>[1]) {
  if (session === null) throw new Failure("lost");
  return session.ask(node, command, language);
}

function webSocketHere(address = ""): string {
  return new URL(address, location.href).href.replace(/^http/, "ws");
}

function lastDay({ last }: Series): Date {
  const time = last === null ? Number.NaN : Date.parse(last);
  return Number.isNaN(time) ? new Date() : new Date(time);
}

/** Do what takes a while, one thing at a time; a failure becomes a sentence. */
async function doing(work: () => Promise<void>): Promise<void> {
  if (isBusy) return;
  isBusy = true;
  notice = null;
  for (const field of document.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  render();
  try {
    await work();
  } catch (error) {
    notice = noticeOf(error);
  }
  isBusy = false;
  render();
}

function noticeOf(error: unknown): Notice {
  if (error instanceof Refusal) {
    return { key: refused(error.condition), quoted: error.text.slice(0, MOST_QUOTED), language };
  }
  if (error instanceof NotQuoalise) return { key: "problem_answer", quoted: "", language };
  const problem = error instanceof Failure ? error.problem : "other";
  mark(problem);
  return { key: `problem_${problem}`, quoted: "", language };
}

/** Mark the field that a problem is about, and go there. */
function mark(problem: Problem): void {
  const isLogin = session === null;
  if (problem === "no-websocket" || problem === "not-encrypted") page.place.open = true;
  const field = {
    address: isLogin ? page.account : page.node,
    password: page.password,
    "unknown-domain": page.account,
    "no-websocket": page.server,
    "not-encrypted": page.server,
    "no-answer": page.node,
  }[problem as string];
  field?.setAttribute("aria-invalid", "true");
  field?.focus();
}

// How it looks.

function render(): void {
  document.documentElement.lang = language;
  document.title = text("title", language);
  for (const element of document.querySelectorAll<HTMLElement>("[data-text]")) {
    element.textContent = text(element.dataset["text"] as Key, language);
  }
  for (const element of document.querySelectorAll<HTMLElement>("[data-label]")) {
    element.setAttribute("aria-label", text(element.dataset["label"] as Key, language));
  }
  for (const button of document.querySelectorAll<HTMLElement>("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset["language"] === language));
  }
  for (const button of document.querySelectorAll<HTMLButtonElement>("main button")) {
    button.disabled = isBusy;
  }
  document.documentElement.toggleAttribute("data-busy", isBusy);
  page.busy.textContent = isBusy ? text("busy", language) : "";
  page.heading.textContent = text(session === null ? "log_in" : "reading", language);
  page.login.hidden = session !== null;
  page.logOut.hidden = session === null;
  page.reading.hidden = session === null;
  page.choice.hidden = listed.length === 0;
  fillSeries();
  renderNotice();
  renderFigures();
}

function renderNotice(): void {
  page.notice.replaceChildren();
  if (notice === null) return;
  const words = made("p", text(notice.key, language));
  words.className = "notice wrong";
  if (notice.quoted) {
    const quote = made("q", notice.quoted);
    quote.lang = notice.language;
    words.append(quote);
  }
  page.notice.append(words);
}

function fillSeries(): void {
  const chosen = page.series.value;
  page.series.replaceChildren(
    ...listed.map((series) => {
      const { identifier, device } = series;
      const direction =
        directions.get(identifier) ?? directionKey(directionAt(device, directionIn(identifier)));
      return new Option(nameOf(series, direction, language), identifier);
    }),
  );
  if (listed.some(({ identifier }) => identifier === chosen)) page.series.value = chosen;
}

function renderFigures(): void {
  page.figures.hidden = shown === null || shown.figures.rows.length === 0;
  if (shown === null || page.figures.hidden) {
    for (const part of [page.facts, page.chart, page.rows]) part.replaceChildren();
    return;
  }
  const { figures, direction, week } = shown;
  const day = new Intl.DateTimeFormat(LOCALES[language], { day: "numeric", month: "long", year: "numeric" });
  const days = day.formatRange(week.start, lastMoment(week));
  page.week.textContent = `${text(direction, language)}, ${days}`;
  page.identifier.textContent = figures.identifier;
  page.facts.replaceChildren(...facts(figures, language));
  page.chart.className = `chart ${direction}`;
  drawChart();
  const { heads, rows } = table(figures, language);
  page.heads.replaceChildren(...heads);
  page.rows.replaceChildren(...rows);
}

function drawChart(): void {
  if (shown === null || page.chart.clientWidth === 0) return;
  const { figures, week } = shown;
  const label = page.week.textContent ?? "";
  page.chart.replaceChildren(chart(figures, week, page.chart.clientWidth, language, label));
}

function lastMoment(week: Week): Date {
  return new Date(week.end.getTime() - 1);
}

function onSubmit(form: HTMLFormElement, work: () => Promise<void>): void {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void doing(work);
  });
}

onSubmit(page.login, logIn);
onSubmit(page.nodes, list);
onSubmit(page.choice, show);
page.logOut.addEventListener("click", () => void logOut());
byId("button", "before").addEventListener("click", () => void doing(() => turn(-1)));
byId("button", "after").addEventListener("click", () => void doing(() => turn(1)));
byId("button", "csv").addEventListener("click", download);
page.series.addEventListener("change", () => (page.other.value = ""));
for (const button of document.querySelectorAll<HTMLElement>("[data-language]")) {
  button.addEventListener("click", () => {
    language = button.dataset["language"] as Language;
    render();
  });
}
new ResizeObserver(drawChart).observe(page.chart);

render();
fetch("settings.json")
  .then(async (answer) => {
    settings = (await answer.json()) as Settings;
    page.node.value ||= settings.node ?? "";
    if (settings.domain) page.account.placeholder = `@${settings.domain}`;
  })
  .catch(() => undefined)
  .finally(() => document.documentElement.toggleAttribute("data-ready", true));
