// Draws the tables of the public pages, and keeps what they show fresh. All is there without it.
"use strict";

(() => {
  const REFRESH_MS = 120_000, TURN_MS = 1_000, ANSWER_MS = 30_000, STALE_MS = 3 * REFRESH_MS;
  const hall = document.body.classList.contains("hall");

  function colour(name) {
    return getComputedStyle(document.body).getPropertyValue(name).trim();
  }

  function hatched(context, line, ground) {
    const tile = document.createElement("canvas");
    const size = 8 * devicePixelRatio;
    tile.width = tile.height = size;
    const drawn = tile.getContext("2d");
    drawn.fillStyle = ground;
    drawn.fillRect(0, 0, size, size);
    drawn.strokeStyle = line;
    drawn.lineWidth = size / 2.6;
    drawn.beginPath();
    for (const from of [-size, 0, size]) { drawn.moveTo(from, size); drawn.lineTo(from + size, 0); }
    drawn.stroke();
    return context.createPattern(tile, "repeat");
  }

  function column(rows, name, sign = 1) {
    return rows.map((row) => name in row.dataset ? sign * Number(row.dataset[name]) / 1000 : null);
  }

  function draw(figure) {
    const plot = figure.querySelector(".plot");
    const rows = [...figure.querySelectorAll("tbody tr")];
    if (!window.uPlot || !rows.length || !plot.clientWidth) return;
    const names = new Map([...figure.querySelectorAll("thead th[data-name]")].map((one) => [one.dataset.name, one.textContent]));
    const labels = rows.map((row) => row.cells[0].textContent);
    const language = figure.dataset.language === "en" ? "en-GB" : "fr-FR";
    const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
    const plural = new Intl.PluralRules(language);
    const level = new Intl.NumberFormat(language, { maximumFractionDigits: 3 });
    const bars = uPlot.paths.bars({ size: [0.82, 70], gap: 1 });
    const one = (label, stroke, fill, more = {}) => ({ label, stroke, fill, width: 1, paths: bars, points: { show: false }, ...more });
    const series = [{}];
    const data = [rows.map((_, n) => n)];
    const add = (values, drawn) => { data.push(values); series.push(drawn); };
    const splits = names.has("spot"), narrow = plot.clientWidth / rows.length < 18;
    if (names.has("made")) add(column(rows, "made"), one(names.get("made"), colour("--made"), colour("--made")));
    if (splits) {
      // Of some of what was made, it may not be known where it went.
      add(column(rows, "split"), one("", colour("--fed"), colour("--fed")));
      add(column(rows, "spot"), one(names.get("spot"), colour("--made"), (u) => hatched(u.ctx, colour("--made"), colour("--paper"))));
    }
    if (names.has("drawn")) add(column(rows, "drawn", -1), one(names.get("drawn"), colour("--grid"), colour("--grid")));
    for (const [name, sign] of [["made-before", 1], ["drawn-before", -1]]) {
      const key = name.replace("-b", "B");
      if (names.has(name)) add(column(rows, key, sign), one(names.get(name), colour("--ink"), "transparent", narrow ? {} : { width: 1.5, dash: [4, 3] }));
    }
    const readout = figure.querySelector(".readout");
    const read = (u) => {
      const at = u.cursor.idx;
      const count = at == null ? 0 : Number(rows[at].dataset.members ?? 0);
      const members = count && figure.dataset.members ? ` (${count} ${plural.select(count) === "one" ? figure.dataset.member : figure.dataset.members})` : "";
      const told = at == null ? [] : series.flatMap((one, n) => one.label && data[n][at] != null ? [`${one.label} ${number.format(Math.abs(data[n][at]))} kWh`] : []);
      readout.textContent = told.length ? `${labels[at]}${members} – ${told.join(", ")}` : "";
    };
    const size = hall ? Math.max(14, 1.35 * unit()) : 12;
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: `${size}px system-ui, sans-serif` };
    const widest = Math.max(...labels.map((label) => label.length));
    const most = Math.max(...data.slice(1).flat().map(Math.abs));
    plot.replaceChildren();
    new uPlot({
      width: plot.clientWidth,
      height: hall ? Math.max(10 * size, innerHeight - plot.getBoundingClientRect().top - 3 * size) : 270,
      legend: { show: false },
      hooks: { setCursor: [read] },
      cursor: { y: false, points: { show: false } },
      scales: {
        x: { time: false, range: () => [-0.6, rows.length - 0.4] },
        y: { range: (_, low, high) => [Math.min(0, low * 1.08), high > 0 ? high * 1.08 : most * 0.1 || 1] },
      },
      axes: [
        { ...axis, grid: { show: false }, size: 2.1 * size, splits: () => spread(labels.length, Math.min(hall ? 8 : Infinity, Math.floor(plot.clientWidth / (widest * size * 0.62 + size)))), values: (_, splits) => splits.map((at) => labels[at] ?? "") },
        { ...axis, space: 2.5 * size, size: (_, told) => (0.58 * Math.max(0, ...(told ?? []).map((one) => one.length)) + 1) * size, values: (_, splits) => splits.map((value) => `${level.format(Math.abs(value))} kWh`) },
      ],
      series,
    }, data, plot);
  }

  // In pixels, what public.css sizes a wall by.
  function unit() {
    const [short, long] = [innerWidth, innerHeight].sort((one, other) => one - other);
    return Math.min(long / 100, short * 0.0178);
  }

  // As many of the labels as there is room for, evenly.
  function spread(count, room) {
    const step = Math.max(1, Math.ceil(count / Math.max(1, room)));
    return Array.from({ length: Math.ceil(count / step) }, (_, n) => n * step);
  }

  // What is shown, when it last held, and whether nobody answers since.
  let came = document.getElementById("live")?.innerHTML, cameAt = Date.now(), isCut = false;

  function drawAll() {
    document.querySelectorAll("figure.flows").forEach(draw);
  }

  // What somebody has opened, where they have scrolled to and what they are at stays so.
  function renew(live, fresh) {
    const places = () => [...live.querySelectorAll("details, summary, a, .scroll")];
    const before = places().map((one) => [one, one.scrollLeft, one.scrollTop, one === document.activeElement]);
    const { scrollX, scrollY } = window;
    live.replaceChildren(...fresh.childNodes);
    turn(0);
    drawAll();
    places().forEach((one, n) => {
      const [was, left, top, isAt] = before[n] ?? [];
      if (was?.tagName !== one.tagName) return;
      if (was.open) one.open = true;
      one.scrollTo(left, top);
      if (isAt) one.focus({ preventScroll: true });
    });
    scrollTo(scrollX, scrollY);
  }

  async function refresh() {
    const live = document.getElementById("live");
    if (document.hidden || !live) return;
    tell();
    try {
      const answer = await fetch(location.href, { cache: "no-cache", signal: AbortSignal.timeout(ANSWER_MS) });
      if (!answer.ok) throw new Error(answer.statusText);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("live");
      if (fresh && fresh.innerHTML !== came) {
        came = fresh.innerHTML;
        renew(live, fresh);
      }
      [cameAt, isCut] = [Date.now(), false];
    } catch {
      isCut = true;
    }
    tell();
  }

  // Nothing is called "now" unless it was so a moment ago.
  function tell() {
    const moment = document.querySelector(".moment"), told = document.getElementById("offline");
    if (moment) moment.textContent = isCut || Date.now() - cameAt > STALE_MS ? moment.dataset.last : moment.dataset.now;
    if (!told) return;
    told.hidden = !isCut;
    told.querySelector(".last").textContent = isCut && moment ? `${moment.dataset.last}.` : "";
  }

  // A wall shows one chart at a time.
  let shown = 0, since = 0;
  function turn(by) {
    const slides = [...document.querySelectorAll(".slide")];
    if (!slides.length) return;
    shown = (shown + by) % slides.length;
    slides.forEach((slide, n) => { slide.hidden = n !== shown; });
    if (by) slides[shown].querySelectorAll("figure.flows").forEach(draw);
  }

  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  let resizing;
  window.addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(drawAll, 150); });
  window.addEventListener("online", refresh);
  window.addEventListener("offline", () => { isCut = true; tell(); });
  document.addEventListener("visibilitychange", refresh);
  setInterval(refresh, REFRESH_MS);
  if (hall) {
    const seconds = Number(document.getElementById("main").dataset.turn);
    setInterval(() => { if (++since % seconds === 0) turn(1); }, TURN_MS);
    turn(0);
  }
  drawAll();
})();
