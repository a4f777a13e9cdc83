// Reads charts of the public pages aloud under a pointer, and keeps them fresh. All is there without it.
"use strict";

(() => {
  const REFRESH_MS = 120_000, TURN_MS = 1_000, ANSWER_MS = 30_000, STALE_MS = 3 * REFRESH_MS;
  const hall = document.body.classList.contains("hall");

  // Says what the interval under the pointer has, and marks it.
  function read(figure, event) {
    const drawing = figure.querySelector(".drawing"), readout = figure.querySelector(".readout");
    if (!readout) return;
    const { left, width } = drawing.getBoundingClientRect();
    const count = Number(figure.dataset.count);
    const at = event ? Math.floor((event.clientX - left) / width * count) : -1;
    const row = at < 0 ? null : figure.querySelectorAll("tbody tr")[at];
    readout.textContent = row ? described(figure, row) : "";
    drawing.querySelector(".at")?.remove();
    if (!row) return;
    const mark = document.createElementNS(drawing.namespaceURI, "rect");
    for (const [name, value] of Object.entries({ class: "at", x: `${100 * at / count}%`, y: 0, width: `${100 / count}%`, height: "100%" })) mark.setAttribute(name, value);
    drawing.prepend(mark);
  }

  function described(figure, row) {
    const language = figure.dataset.language === "en" ? "en-GB" : "fr-FR";
    const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
    const members = Number(row.dataset.members ?? 0);
    const word = new Intl.PluralRules(language).select(members) === "one" ? figure.dataset.member : figure.dataset.members;
    const parts = [...figure.querySelectorAll("thead th[data-name]")].flatMap((head) => {
      const wh = row.getAttribute(`data-${head.dataset.name}`);
      return wh === null ? [] : [`${head.textContent} ${number.format(wh / 1000)}\u00a0kWh`];
    });
    return parts.length ? `${row.cells[0].textContent}${members && word ? ` (${members} ${word})` : ""} – ${parts.join(", ")}` : "";
  }

  // Makes a PNG of a picture that the node draws, twice as fine.
  async function download(button) {
    const picture = new Image();
    picture.src = button.dataset.picture;
    try {
      await picture.decode();
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [2 * picture.naturalWidth, 2 * picture.naturalHeight];
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = `${new URL(picture.src).pathname.split("/").at(-1).replace(/svg$/, "png")}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    } catch {
      button.textContent = button.dataset.failed;
      button.disabled = true;
    }
  }

  function ready() {
    document.querySelectorAll("button.png, button.print").forEach((button) => { button.hidden = false; });
    document.querySelectorAll(".what-if").forEach((form) => {
      form.hidden = false;
      simulate(form);
    });
  }

  // Says what more panels or more members would change. Shared energy depends on the ratio of both.
  const chosen = { panels: 100, members: 100 };
  function simulate(form) {
    const { curve, step, injected, drawn, saved, language } = form.dataset;
    const shared = curve.split(" ").map(Number), at = (100 * chosen.panels) / chosen.members / step;
    const low = Math.min(Math.floor(at), shared.length - 1), high = Math.min(low + 1, shared.length - 1);
    const wh = (chosen.members / 100) * (shared[low] + (at - low) * (shared[high] - shared[low]));
    const locale = language === "en" ? "en-GB" : "fr-FR";
    const write = (value, options) => new Intl.NumberFormat(locale, options).format(value);
    const percent = (part, whole) => (whole > 0 ? write(part / whole, { style: "percent" }) : "–");
    const energy = wh < 1e7 ? [wh / 1e3, "kWh"] : [wh / 1e6, "MWh"];
    const words = {
      shared: `${write(energy[0], { maximumFractionDigits: 1 })}\u00a0${energy[1]}`,
      used: percent(wh, (injected * chosen.panels) / 100),
      covered: percent(wh, (drawn * chosen.members) / 100),
      saved: saved && write((wh / 1000) * saved, { style: "currency", currency: "EUR", maximumFractionDigits: 0 }),
    };
    for (const name of Object.keys(chosen)) {
      form.querySelector(`#${name}`).value = chosen[name];
      form.querySelector(`#${name}-shown`).value = write(chosen[name] / 100, { style: "percent" });
    }
    const result = form.querySelector(".result"), sentence = saved ? result.dataset.wordsSaved : result.dataset.words;
    result.textContent = sentence.replace(/\{(\w+)\}/g, (_, name) => words[name]);
  }

  // What is shown, when it last held, and whether nobody answers since.
  let came = document.getElementById("live")?.innerHTML, cameAt = Date.now(), isCut = false;

  // What somebody has opened, where they have scrolled to and what they are at stays so.
  function renew(live, fresh) {
    const places = () => [...live.querySelectorAll("details, summary, a, .scroll")];
    const before = places().map((one) => [one, one.scrollLeft, one.scrollTop, one === document.activeElement]);
    const { scrollX, scrollY } = window;
    live.replaceChildren(...fresh.childNodes);
    turn(0);
    ready();
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
    showFreshness();
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
    showFreshness();
  }

  // Nothing is called "now" unless it was so a moment ago.
  function showFreshness() {
    const moment = document.querySelector(".moment"), notice = document.getElementById("offline");
    if (moment) moment.textContent = isCut || Date.now() - cameAt > STALE_MS ? moment.dataset.last : moment.dataset.now;
    if (!notice) return;
    notice.hidden = !isCut;
    notice.querySelector(".last").textContent = isCut && moment ? `${moment.dataset.last}.` : "";
  }

  // A wall shows one chart at a time.
  let shown = 0, since = 0;
  function turn(by) {
    const slides = [...document.querySelectorAll(".slide")];
    if (!slides.length) return;
    shown = (shown + by) % slides.length;
    slides.forEach((slide, n) => { slide.hidden = n !== shown; });
  }

  for (const type of ["pointermove", "pointerdown"]) {
    document.addEventListener(type, (event) => {
      const figure = event.target.closest?.(".drawing")?.closest("figure");
      document.querySelectorAll("figure.flows").forEach((other) => { if (other !== figure && other.querySelector(".at")) read(other); });
      if (figure) read(figure, event);
    });
  }
  document.addEventListener("click", (event) => {
    if (event.target.matches?.("button.png")) download(event.target);
    if (event.target.matches?.("button.print")) window.print();
  });
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.(".what-if");
    if (!form) return;
    chosen[event.target.id] = Number(event.target.value);
    simulate(form);
  });
  window.addEventListener("online", refresh);
  window.addEventListener("offline", () => { isCut = true; showFreshness(); });
  document.addEventListener("visibilitychange", refresh);
  setInterval(refresh, REFRESH_MS);
  if (hall) {
    const seconds = Number(document.getElementById("main").dataset.turn);
    setInterval(() => { if (++since % seconds === 0) turn(1); }, TURN_MS);
    turn(0);
  }
  ready();
})();
