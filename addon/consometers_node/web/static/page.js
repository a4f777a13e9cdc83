// Makes pages smoother. Everything works without it: charts have their table, forms are sent by the browser.
"use strict";

(() => {
  const REFRESH_MS = 30_000;

  function busy(form) {
    const words = document.getElementById("busy-words");
    form.setAttribute("aria-busy", "true");
    words.classList.remove("sr-only");
    words.textContent = words.dataset.busy;
    // A button that is disabled at once would not be sent.
    setTimeout(() => form.querySelectorAll("button").forEach((one) => { one.disabled = true; }));
  }

  function idle() {
    const words = document.getElementById("busy-words");
    words.classList.add("sr-only");
    words.textContent = "";
    document.querySelectorAll("[aria-busy=true]").forEach((form) => {
      form.removeAttribute("aria-busy");
      form.querySelectorAll("button").forEach((one) => { one.disabled = false; });
    });
  }

  function colour(element, name) {
    return getComputedStyle(element).getPropertyValue(name).trim();
  }

  function draw(figure) {
    const rows = [...figure.querySelectorAll("tr[data-at]")];
    const plot = figure.querySelector(".plot");
    if (!window.uPlot || rows.length < 2) return;
    const times = rows.map((row) => Number(row.dataset.at));
    const values = rows.map((row) => Number(row.dataset.value));
    const step = Math.min(...times.slice(1).map((at, n) => at - times[n]));
    const xs = [], ys = [];
    times.forEach((at, n) => {
      // What is missing is a gap.
      if (n && at - times[n - 1] > 1.5 * step) { xs.push(times[n - 1] + step); ys.push(null); }
      xs.push(at);
      ys.push(values[n]);
    });
    const bars = figure.dataset.bars === "yes";
    if (!bars) { xs.push(times.at(-1) + step); ys.push(values.at(-1)); }
    // Hours run from 0 to 24.
    const language = figure.dataset.language === "en" ? "en-GB" : figure.dataset.language;
    const [from, value] = [...figure.querySelectorAll("thead th")].map((one) => one.textContent);
    const unit = figure.dataset.unit;
    const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
    const when = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
    const tick = (from, to) => new Intl.DateTimeFormat(language, to - from > 172_800
      ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit" });
    const line = colour(figure, "--line-of"), fill = colour(figure, "--fill-of");
    const axis = { stroke: colour(figure, "--soft"), grid: { stroke: colour(figure, "--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    const paths = bars ? uPlot.paths.bars({ size: [0.8, 40] }) : uPlot.paths.stepped({ align: 1 });
    plot.replaceChildren();
    new uPlot({
      width: plot.clientWidth || 600,
      height: 220,
      cursor: { y: false },
      scales: { y: { range: (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.1 : 1] } },
      axes: [
        { ...axis, space: 70, values: (u, splits) => splits.map((at) => tick(u.scales.x.min, u.scales.x.max).format(at * 1000)) },
        { ...axis, size: 64, values: (_, splits) => splits.map((value) => `${number.format(value)} ${unit}`) },
      ],
      series: [
        { label: from, value: (_, at) => at == null ? "–" : when.format(at * 1000) },
        { label: value, stroke: line, fill, width: 2, paths, points: { show: false }, value: (_, one) => one == null ? "–" : `${number.format(one)} ${unit}` },
      ],
    }, [xs, ys], plot);
  }

  function drawAll() {
    document.querySelectorAll("figure.chart").forEach(draw);
  }

  // How it stands is asked for again now and then, but never under a reader's hands.
  function refresh() {
    const standing = document.getElementById("standing");
    const active = document.activeElement;
    if (!standing || !window.htmx || document.hidden || standing.contains(active) || standing.dataset.touched) return;
    htmx.ajax("GET", standing.dataset.refresh || "./", { target: "#standing", select: "#standing", swap: "outerHTML" });
  }

  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[data-slow]")) busy(event.target);
  });
  document.addEventListener("toggle", (event) => {
    const standing = event.target.closest?.("#standing");
    if (standing && event.isTrusted) standing.dataset.touched = "yes";
  }, true);
  window.addEventListener("pageshow", idle);
  // After a form has replaced a part of the page: draw its charts, restart reading aloud.
  document.addEventListener("htmx:afterSettle", (event) => {
    idle();
    drawAll();
    if (event.target.id === "main") event.target.focus();
  });
  ["htmx:sendError", "htmx:timeout", "htmx:sendAbort"].forEach((name) => document.addEventListener(name, idle));
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  let resizing;
  window.addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(drawAll, 150); });
  setInterval(refresh, REFRESH_MS);
  drawAll();
})();
