// Home Assistant's frontend asks it for the dashboard, which the integration writes (layout.py).

const WORDS = {
  en: {
    name: "Consometers",
    description: "My home, my panels, my collective: now, and month by month.",
    title: "My energy",
  },
  fr: {
    name: "Consometers",
    description: "Mon foyer, mes panneaux, mon collectif : maintenant, et mois par mois.",
    title: "Mon énergie",
  },
};

const wordsOf = (language) => WORDS[language?.split("-")[0]] ?? WORDS.en;
const words = () => wordsOf(document.querySelector("home-assistant")?.hass?.language);

const REGISTRIES = ["entities", "devices", "areas", "floors"];
const AGAIN_MS = 30_000;
const MOST_TIMES = 150;
const LATER_MS = 600_000;

class ConsometersDashboard extends HTMLElement {
  static noEditor = true;
  static #shown = "";
  static #times = 0;
  static #again = Infinity;
  static #differs = false;

  static async generate(_config, hass) {
    const dashboard = await this.#ask(hass);
    this.#shown = JSON.stringify(dashboard);
    return dashboard;
  }

  // The first statistics of an entity come some time after it, and a title says since when there
  // are some while they are young: until then, look again.
  static shouldRegenerate(_config, before, now) {
    if (Date.now() >= this.#again) {
      this.#again = Infinity;
      this.#ask(now).then((dashboard) => (this.#differs = JSON.stringify(dashboard) !== this.#shown));
    }
    const differs = this.#differs;
    this.#differs = false;
    return differs || REGISTRIES.some((registry) => before[registry] !== now[registry]);
  }

  static async #ask(hass) {
    const asked = { type: "consometers/dashboard", language: hass.language };
    const { waiting, young, ...dashboard } = await hass.callWS(asked);
    this.#times = waiting ? this.#times + 1 : 0;
    const soon = waiting && this.#times < MOST_TIMES;
    const after = soon ? AGAIN_MS : young ? LATER_MS : Infinity;
    this.#again = Date.now() + after;
    return dashboard;
  }

  static getCreateSuggestions(hass) {
    return { title: wordsOf(hass.language).title, icon: "mdi:home-lightning-bolt" };
  }
}

const TAG = "ll-strategy-dashboard-consometers";
if (!customElements.get(TAG)) {
  customElements.define(TAG, ConsometersDashboard);
  (window.customStrategies ??= []).push({
    type: "consometers",
    strategyType: "dashboard",
    get name() {
      return words().name;
    },
    get description() {
      return words().description;
    },
    documentationURL: "https://github.com/consometers/consometers-home-assistant",
  });
}

// The sidebar shows the title that was typed, in whose language it was, unless there are words for
// it: so each of our titles has its words in the language of the person who looks.
const root = document.querySelector("home-assistant");
const TITLES = Object.values(WORDS).map(({ title }) => `panel.${title}`);

function translateTitles() {
  const { language, localize } = root.hass ?? {};
  const { title } = wordsOf(language);
  if (localize && TITLES.some((key) => localize(key) !== title)) {
    root._updateResources?.(language, Object.fromEntries(TITLES.map((key) => [key, title])));
  }
}

if (root) {
  root.addEventListener("translations-updated", translateTitles);
  translateTitles();
}
