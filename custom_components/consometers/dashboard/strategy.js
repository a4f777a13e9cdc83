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

class ConsometersDashboard extends HTMLElement {
  static noEditor = true;

  static generate(_config, hass) {
    return hass.callWS({ type: "consometers/dashboard", language: hass.language });
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
