"""The words of the dashboard. Entity names are in the server's language, so none is used."""

from collections.abc import Mapping
from typing import Final

_DOCS: Final = "https://github.com/consometers/consometers-home-assistant/blob/main/docs"
_PUBLICATION: Final = f"{_DOCS}/publication"
_DASHBOARD: Final = f"{_DOCS}/dashboard"

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "now": "Now",
        "months": "Months",
        "my_home": "My home",
        "my_panels": "My panels",
        "used": "Used in the home",
        "apparent": "Apparent power",
        "drawn": "From the grid",
        "injected": "To the grid",
        "produced": "Solar production",
        "self_consumed": "Self-consumption",
        "drawn_now": "From the grid",
        "injected_now": "To the grid",
        "produced_now": "Produced",
        "self_consumed_now": "Self-consumed",
        "sells_all": "All of it goes to the grid, under a contract of its own: none is used here.",
        "no_production": "No production now",
        "rate_no_production": "{what}: no production now",
        "rate_not_known_yet": "{what}: not known yet",
        "part_of": "My part: {plant}",
        "part": "My part",
        "part_power": "Latest power",
        "part_energy_today": "Today",
        "part_coverage": "Coverage of last month’s grid use",
        "neighbours_sun": "Neighbours’ sun (simulation)",
        "this_month": "This month",
        "simulated": "Received from neighbours (simulation)",
        "simulated_today": "Received",
        "simulated_month": "Received",
        "simulated_coverage": "Covered",
        "simulated_saving": "Saved",
        "simulation": "What you would have received of what members inject, from published hours. "
        "Your bill does not change: a real operation takes a contract, Enedis counts it by half "
        "hours, and grid charges and taxes apply to what is shared. "
        f"[The simulation]({_DASHBOARD}.md#the-neighbours-sun-at-home)",
        "members": "Members",
        "sums_until": "Figures up to",
        "latest": "Latest published power",
        "today": "Today",
        "day": "Power curve",
        "self_sufficiency": "Self-sufficiency rate",
        "self_consumption": "Self-consumption rate",
        "week": "Day by day",
        "two_days": "Hour by hour",
        "year": "Month by month",
        "sun_hours": "When the neighbours’ sun shines",
        "surplus_likely": "Surplus likely now",
        "next_surplus": "Next surplus",
        "best_hour": "Best hour",
        "challenge": "The challenge",
        "challenge_change": "My commune, relative to the others",
        "minutes_to_come": "The first figures come within five minutes.",
        "hours_to_come": "The first figures come within an hour.",
        "last_month": "Last month",
        "month_mine": "My home",
        "month_median": "Median home",
        "month_difference": "Difference from the median home",
        "own_months": "This building, month by month",
        "not_shown": "Not shown: {what}.",
        "missing": "The collective has no figures yet, or hides them where one home would "
        f"stand out. [What a collective publishes]({_PUBLICATION}.md)",
        "unread": "Your node cannot read everything that the collective publishes.",
        "shared": "What I share",
        "sharing": "Sharing",
        "received": "Received up to",
        "nothing": "There is nothing to show yet. Add your meter, your panels or your node: "
        "**Settings → Devices & services → Add integration → Consometers**. "
        "They appear here by themselves.",
    },
    "fr": {
        "now": "Maintenant",
        "months": "Mois",
        "my_home": "Mon foyer",
        "my_panels": "Mes panneaux",
        "used": "Utilisé dans le foyer",
        "apparent": "Puissance apparente",
        "drawn": "Soutiré du réseau",
        "injected": "Injecté sur le réseau",
        "produced": "Production solaire",
        "self_consumed": "Autoconsommation",
        "drawn_now": "Soutiré",
        "injected_now": "Injecté",
        "produced_now": "Produit",
        "self_consumed_now": "Autoconsommé",
        "sells_all": "Tout est injecté sur le réseau, par un contrat distinct : rien n’est utilisé "
        "ici.",
        "no_production": "Pas de production en ce moment",
        "rate_no_production": "{what} : pas de production",
        "rate_not_known_yet": "{what} : pas encore connu",
        "part_of": "Ma part : {plant}",
        "part": "Ma part",
        "part_power": "Dernière puissance",
        "part_energy_today": "Aujourd’hui",
        "part_coverage": "Couverture du soutirage du mois dernier",
        "neighbours_sun": "Soleil des voisins (simulation)",
        "this_month": "Ce mois-ci",
        "simulated": "Reçu des voisins (simulation)",
        "simulated_today": "Reçu",
        "simulated_month": "Reçu",
        "simulated_coverage": "Couvert",
        "simulated_saving": "Économisé",
        "simulation": "Ce que vous auriez reçu de l’injection des membres, d’après les heures "
        "publiées. Votre facture ne change pas : une opération réelle demande un contrat, Enedis "
        "la compte par demi-heure, et l’acheminement et les taxes s’appliquent à l’énergie "
        f"partagée. [La simulation]({_DASHBOARD}.fr.md#le-soleil-des-voisins-chez-vous)",
        "members": "Membres",
        "sums_until": "Chiffres jusqu’à",
        "latest": "Dernière puissance publiée",
        "today": "Aujourd’hui",
        "day": "Courbe de puissance",
        "self_sufficiency": "Taux d’autosuffisance",
        "self_consumption": "Taux d’autoconsommation",
        "week": "Jour par jour",
        "two_days": "Heure par heure",
        "year": "Mois par mois",
        "sun_hours": "Quand brille le soleil des voisins",
        "surplus_likely": "Surplus probable maintenant",
        "next_surplus": "Prochain surplus",
        "best_hour": "Meilleure heure",
        "challenge": "Le défi",
        "challenge_change": "Ma commune, par rapport aux autres",
        "minutes_to_come": "Les premiers chiffres arrivent d’ici cinq minutes.",
        "hours_to_come": "Les premiers chiffres arrivent d’ici une heure.",
        "last_month": "Le mois dernier",
        "month_mine": "Mon foyer",
        "month_median": "Foyer médian",
        "month_difference": "Écart avec le foyer médian",
        "own_months": "Ce bâtiment, mois par mois",
        "not_shown": "Sans chiffres : {what}.",
        "missing": "Le collectif n’a pas encore de chiffres, ou les masque là où un foyer se "
        f"distinguerait. [Ce que publie un collectif]({_PUBLICATION}.fr.md)",
        "unread": "Votre nœud ne peut pas lire tout ce que publie le collectif.",
        "shared": "Ce que je partage",
        "sharing": "Partage",
        "received": "Bien reçu jusqu’à",
        "nothing": "Il n’y a encore rien à montrer. Ajoutez votre compteur, vos panneaux ou votre "
        "nœud : **Paramètres → Appareils et services → Ajouter une intégration → Consometers**. "
        "Ils apparaissent ici tout seuls.",
    },
}


def words_of(language: str) -> Mapping[str, str]:
    """Return the words of a language; of those that are not known, English."""
    return WORDS.get(language.partition("-")[0], WORDS["en"])
