/** All that a person reads, in both languages. French has a non-breaking space before : ; ? ! */

export type Language = "en" | "fr";
export type Key = keyof typeof TEXTS;

const TEXTS = {
  title: ["Quoalise reader", "Lecteur Quoalise"],
  languages: ["Language", "Langue"],
  log_out: ["Log out", "Se déconnecter"],
  log_in: ["Log in", "Se connecter"],
  log_in_words: [
    "With the XMPP account of your own server. This page talks to that server alone, and stores nothing: neither your password nor what you read.",
    "Avec le compte XMPP de votre propre serveur. Cette page ne parle qu’à lui et n’enregistre rien : ni votre mot de passe, ni ce que vous lisez.",
  ],
  account: ["Your address", "Votre adresse"],
  account_hint: ["Such as you@example.org", "Par exemple vous@example.org"],
  password: ["Password", "Mot de passe"],
  server: ["WebSocket of your server", "WebSocket de votre serveur"],
  server_summary: ["Address of the server", "Adresse du serveur"],
  server_hint: [
    "Needed only where the server does not announce it. It begins with wss://",
    "Utile seulement si votre serveur ne l’annonce pas. Elle commence par wss://",
  ],
  reading: ["What you may read", "Ce que vous pouvez lire"],
  node: ["Address of the home or collective", "Adresse du foyer ou du collectif"],
  node_hint: [
    "Its holder gave it to you, such as home@example.net",
    "Son détenteur vous l’a donnée, par exemple foyer@example.net",
  ],
  list: ["List its series", "Lister ses séries"],
  series: ["Series", "Série"],
  other_summary: ["Another series", "Une autre série"],
  other: ["Identifier", "Identifiant"],
  other_hint: [
    "It begins with “urn:dev”, and takes precedence over the list.",
    "Il commence par « urn:dev » et l’emporte sur la liste.",
  ],
  day: ["A day of the week to show", "Un jour de la semaine à afficher"],
  show: ["Show the week", "Afficher la semaine"],
  before: ["Week before", "Semaine précédente"],
  after: ["Week after", "Semaine suivante"],
  csv: ["Download as CSV", "Télécharger en CSV"],
  total: ["Energy of the week", "Énergie de la semaine"],
  highest: ["Highest value", "Valeur la plus haute"],
  records: ["Records", "Relevés"],
  time: ["Start", "Début"],
  value: ["Value", "Valeur"],
  members: ["Members", "Membres"],
  without_homes: ["Homes missing", "Foyers manquants"],
  yes: ["yes", "oui"],
  table: ["Table of the week", "Tableau de la semaine"],
  busy: ["One moment…", "Un instant…"],
  consumption: ["Consumption", "Consommation"],
  injection: ["Injection", "Injection"],
  production: ["Production", "Production"],
  other_direction: ["Series", "Série"],

  problem_address: [
    "This is not the address of an account. Write it like you@example.org.",
    "Ce n’est pas l’adresse d’un compte. Écrivez-la comme vous@example.org.",
  ],
  problem_password: [
    "Your server does not accept this address with this password. Check both, and type the password again.",
    "Votre serveur n’accepte pas cette adresse avec ce mot de passe. Vérifiez les deux et retapez le mot de passe.",
  ],
  problem_lost: [
    "The connection to your server is lost. Log in again.",
    "La connexion avec votre serveur est perdue. Connectez-vous de nouveau.",
  ],
  "problem_unknown-domain": [
    "This server has no accounts of that domain. Check what stands after the @, and the address of the server.",
    "Ce serveur ne gère pas les comptes de ce domaine. Vérifiez ce qui suit l’arobase, et l’adresse du serveur.",
  ],
  problem_unreachable: [
    "Your server cannot be reached. Check your connection to the internet and the address of the server, then try again.",
    "Votre serveur est injoignable. Vérifiez votre connexion à internet et l’adresse du serveur, puis réessayez.",
  ],
  "problem_no-websocket": [
    "Your server does not announce its WebSocket. Check your address; if it is right, ask the administrator of the server for the address of its WebSocket, and type it under “Address of the server”.",
    "Votre serveur n’annonce pas de WebSocket. Vérifiez votre adresse ; si elle est juste, demandez l’adresse du WebSocket à l’administrateur du serveur, et tapez-la sous « Adresse du serveur ».",
  ],
  "problem_not-encrypted": [
    "The address of the server must begin with wss:// so that the connection is encrypted.",
    "L’adresse du serveur doit commencer par wss:// pour que la connexion soit chiffrée.",
  ],
  "problem_no-scram": [
    "Your server offers no login that keeps the password secret. Ask its administrator to enable SCRAM.",
    "Votre serveur n’offre aucune connexion qui garde le mot de passe secret. Demandez à son administrateur d’activer SCRAM.",
  ],
  problem_unproven: [
    "This server cannot prove that it knows your account. Do not use it, and tell the administrator of your own server.",
    "Ce serveur ne peut pas prouver qu’il connaît votre compte. Ne l’utilisez pas, et prévenez l’administrateur du vôtre.",
  ],
  "problem_no-answer": [
    "The node does not answer. Check its address, and try again in a few minutes.",
    "Le nœud ne répond pas. Vérifiez son adresse et réessayez dans quelques minutes.",
  ],
  problem_other: [
    "Something went wrong, and your server does not say what. Try again in a few minutes.",
    "Une erreur s’est produite, et votre serveur ne dit pas laquelle. Réessayez dans quelques minutes.",
  ],
  problem_answer: [
    "The answer breaks the protocol, so none of it is shown. Tell the operator of the node.",
    "La réponse n’est pas conforme au protocole : rien n’en est affiché. Prévenez l’exploitant du nœud.",
  ],
  problem_no_day: ["Choose a day first.", "Choisissez d’abord un jour."],
  problem_no_series: [
    "This node lets you read nothing yet. Ask its holder for a permission, or wait until it is granted.",
    "Ce nœud ne vous laisse rien lire pour l’instant. Demandez une autorisation à son détenteur, ou attendez qu’elle soit accordée.",
  ],
  problem_no_records: [
    "There are no records in this week. Choose another one.",
    "Il n’y a aucun relevé cette semaine-là. Choisissez-en une autre.",
  ],
  "refused_not-authorized": [
    "You may not read this series. Choose one of the list, or ask its holder for a permission.",
    "Vous ne pouvez pas lire cette série. Choisissez-en une dans la liste, ou demandez une autorisation à son détenteur.",
  ],
  "refused_item-not-found": [
    "The node has no such series. Check the identifier, or choose one of the list.",
    "Le nœud n’a pas cette série. Vérifiez l’identifiant, ou choisissez-en une dans la liste.",
  ],
  "refused_bad-request": [
    "The node cannot read this request. Correct what it names:",
    "Le nœud ne peut pas lire cette demande. Corrigez ce qu’il indique :",
  ],
  "refused_resource-constraint": [
    "The node has no time now. Try again in a minute.",
    "Le nœud n’est pas disponible pour l’instant. Réessayez dans une minute.",
  ],
  "refused_service-unavailable": [
    "No node is online at this address. Check the address, or try again later.",
    "Aucun nœud n’est en ligne à cette adresse. Vérifiez l’adresse, ou réessayez plus tard.",
  ],
  "refused_remote-server-not-found": [
    "The server of this node cannot be reached. Check what stands after the @, or try again later.",
    "Le serveur de ce nœud est injoignable. Vérifiez ce qui suit l’arobase, ou réessayez plus tard.",
  ],
  refused_other: [
    "The node refuses. Try again later, or ask its holder.",
    "Le nœud refuse. Réessayez plus tard, ou demandez à son détenteur.",
  ],
} as const;

const SAME: Readonly<Record<string, string>> = {
  "recipient-unavailable": "service-unavailable",
  "remote-server-timeout": "remote-server-not-found",
  forbidden: "not-authorized",
};

/** The dates and numbers of each language: days come before months. */
export const LOCALES: Readonly<Record<Language, string>> = { en: "en-GB", fr: "fr-FR" };

export function text(key: Key, language: Language): string {
  return TEXTS[key][language === "en" ? 0 : 1];
}

export function isKey(key: string): key is Key {
  return key in TEXTS;
}

/** Return what to do about a refusal. */
export function refused(condition: string): Key {
  const key = `refused_${SAME[condition] ?? condition}`;
  return isKey(key) ? key : "refused_other";
}

/** Return an ISO 8601 duration in words, for the intervals of series. */
export function interval(duration: string, language: Language): string {
  const [, minutes] = /^PT(\d+)M$/.exec(duration) ?? [];
  if (minutes !== undefined) return language === "en" ? `by ${minutes} min` : `par ${minutes}\u00a0min`;
  const words: Readonly<Record<string, readonly [string, string]>> = {
    PT1H: ["by hour", "par heure"],
    P1D: ["by day", "par jour"],
    P1M: ["by month", "par mois"],
  };
  return words[duration]?.[language === "en" ? 0 : 1] ?? duration;
}
