"""The documents of disclosure control state the numbers of the program, in both languages."""

from datetime import timedelta
from pathlib import Path
import re
from typing import Final

import pytest

from consometers_node.collective.disclosure.sdc_rules import (
    DEFAULT_MINIMUM,
    LEAST_MINIMUM,
    NOT_ZERO,
    P_PERCENT,
    Publication,
    quartiles,
)
from consometers_node.collective.ingestion.arrivals import RECENT
from consometers_node.collective.ingestion.plausibility import (
    CEILING_W,
    OVERRUN,
    SITE_W,
    UNSAID_W,
)
from consometers_node.collective.publication.closing.openings import GIVEN_UP_AFTER
from consometers_node.collective.publication.closing.quartiles import WHOLE_DAYS
from consometers_node.series import Direction, Interval
from testing.documentation import words_of_code

DOCS: Final = Path(__file__).parents[4] / "docs"
PACKAGE: Final = Path(__file__).parents[4] / "addon" / "consometers_node"
AGREED, BY_LAW = Publication(), Publication(minimum=None)
DAYS, HOURS, MINUTES = (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1))
WAIT, LONGEST = AGREED.wait // MINUTES, AGREED.longest_wait // HOURS
LEAST_OF_QUARTILES: Final = next(
    homes for homes in range(100) if hasattr(quartiles(homes, 1, 2, 3, LEAST_MINIMUM), "median")
)
"""The least number of homes that have quartiles, where a cell takes fewer."""
P = f"{P_PERCENT[0]} and {P_PERCENT[-1]} %", f"{P_PERCENT[0]} et {P_PERCENT[-1]} %"
HOURLY, DAILY = (
    [BY_LAW.needed(direction, interval) for direction in Direction]
    for interval in (Interval.PT1H, Interval.P1D)
)
SPELLED: Final = {2: ("two", "deux"), 5: ("five", "cinq")}


def french(number: float | None) -> str:
    return f"{number:,}".replace(",", " ").replace(".", ",")


STATED: Final = {
    "disclosure": [
        (
            f"minimum of homes ({DEFAULT_MINIMUM}, never under {LEAST_MINIMUM})",
            f"minimum de foyers ({DEFAULT_MINIMUM} par défaut, jamais moins de {LEAST_MINIMUM})",
        ),
        (
            (
                f"at least {SPELLED[NOT_ZERO][0]} of them (or the minimum, if it is"
                f" {LEAST_MINIMUM} or {NOT_ZERO - 1}) are not zero"
            ),
            (
                f"au moins {SPELLED[NOT_ZERO][1]} d’entre eux (ou le minimum, s’il est de"
                f" {LEAST_MINIMUM} ou {NOT_ZERO - 1}) ne sont pas à zéro"
            ),
        ),
        (f"p is between {P[0]}", f"p est entre {P[1]}"),
        (f"at least {P_PERCENT[0]} % above", f"au moins {P_PERCENT[0]} % la part"),
        (f"strictest parameter ({P_PERCENT[-1]} %)", f"plus strict ({P_PERCENT[-1]} %)"),
        (f"nothing new has come for {WAIT} minutes", f"n’est arrivé depuis {WAIT} minutes"),
        (f"at the latest {LONGEST} hours after its end", f"au plus tard {LONGEST} heures après"),
        (f"ended {LONGEST} hours before the opening", f"fin {LONGEST} heures avant l’ouverture"),
        (
            f"or of one of the {RECENT // DAYS} before",
            f"ou de l’un des {RECENT // DAYS} précédents",
        ),
        (
            f"when the witness has answered, within {GIVEN_UP_AFTER // DAYS} days",
            f"quand le témoin a répondu, dans les {GIVEN_UP_AFTER // DAYS} jours",
        ),
        (
            f"still follow, in the {GIVEN_UP_AFTER // DAYS} days after an interval",
            f"encore s’ajouter, dans les {GIVEN_UP_AFTER // DAYS} jours qui suivent un intervalle",
        ),
        (
            f"or {AGREED.day_wait // HOURS} hours have passed since its end",
            f"ou que {AGREED.day_wait // HOURS} heures ont passé depuis sa fin",
        ),
        (f"“fewer than {DEFAULT_MINIMUM} homes, or", f"« moins de {DEFAULT_MINIMUM} foyers, ou"),
        (
            f"up to {OVERRUN} times the home's subscribed power",
            f"jusqu’à {french(OVERRUN)} fois la puissance souscrite",
        ),
        (
            f"({CEILING_W // 1000} kW at most), or up to {UNSAID_W // 1000} kW without",
            f"({CEILING_W // 1000} kW au plus), ou jusqu’à {UNSAID_W // 1000} kW sans",
        ),
        (f"a site's beyond {SITE_W // 10**6} MW", f"site au-delà de {SITE_W // 10**6} MW"),
        (f"at least {LEAST_OF_QUARTILES} homes", f"au moins {LEAST_OF_QUARTILES} foyers"),
        (
            f"{WHOLE_DAYS} whole days, and a sum of their records published on {WHOLE_DAYS} days",
            f"{WHOLE_DAYS} jours complets, et une somme de leurs relevés publiée pour {WHOLE_DAYS}",
        ),
        (
            f"| under a day, longer series | {HOURLY[0]:,} | never |",
            f"| moins d’un jour, série plus longue | {french(HOURLY[0])} | jamais |",
        ),
        (
            f"| a day and more | {DAILY[0]} | {DAILY[1]} |",
            f"| un jour et plus | {DAILY[0]} | {DAILY[1]} |",
        ),
    ],
    "publication": [
        (
            (
                f"At least {DEFAULT_MINIMUM} of them are **homes**, or as many as the collective"
                f" promised, never fewer than {LEAST_MINIMUM}"
            ),
            (
                f"Au moins {DEFAULT_MINIMUM} sont des **foyers**, ou le nombre que le collectif"
                f" a promis, jamais moins de {LEAST_MINIMUM}"
            ),
        ),
        (
            f"“not published: fewer than {DEFAULT_MINIMUM} homes",
            f"« non publié : moins de {DEFAULT_MINIMUM} foyers",
        ),
        (
            f"at least {SPELLED[NOT_ZERO][0]} are not zero",
            f"au moins {SPELLED[NOT_ZERO][1]} ne sont pas à zéro",
        ),
        (f"at least {P_PERCENT[0]} % above the record", f"d’au moins {P_PERCENT[0]} % le relevé"),
        (f"between {P[0]}", f"entre {P[1]}"),
        (f"by the day, {DAILY[0]} homes", f"par jour, {DAILY[0]} foyers"),
        (
            f", {DAILY[1]} for energy to the grid or produced",
            f", {DAILY[2]} pour l’énergie injectée ou produite",
        ),
        (f"By the hour or half-hour, {HOURLY[0]:,} homes", f"il faut {french(HOURLY[0])} foyers"),
        (
            f"come for {WAIT} minutes, at the latest {SPELLED[LONGEST][0]} hours after its end",
            f"depuis {WAIT} minutes, et au plus tard {SPELLED[LONGEST][1]} heures après sa fin",
        ),
        (
            f"at the latest {AGREED.day_wait // HOURS} hours after its end",
            f"au plus tard {AGREED.day_wait // HOURS} heures après sa fin",
        ),
        (f"for at least {LEAST_OF_QUARTILES} homes", f"à partir de {LEAST_OF_QUARTILES} foyers"),
    ],
}
"""Sentences of each page, made of the program's numbers: in English, and in French."""


@pytest.mark.parametrize("page", STATED)
def test_documents_state_the_numbers_of_the_rules(page: str) -> None:
    for place, suffix in enumerate((".md", ".fr.md")):
        # A narrow space stands between thousands, and before a sign, in French.
        words = re.sub(r"\s+", " ", (DOCS / f"{page}{suffix}").read_text(encoding="utf-8"))
        missing = [pair[place] for pair in STATED[page] if pair[place] not in words]
        assert missing == [], suffix


def test_the_law_publishes_no_hours_of_injection_and_production() -> None:
    """The tables say never."""
    assert HOURLY[1:] == [None, None]
    assert DAILY[1] == DAILY[2]
    assert [BY_LAW.needed(direction, Interval.PT5M) for direction in Direction] == 3 * [None]


@pytest.mark.parametrize("suffix", [".md", ".fr.md"])
def test_documents_name_files_that_exist(suffix: str) -> None:
    named = [
        word
        for word in words_of_code(DOCS / f"disclosure{suffix}")
        if re.fullmatch(r"[\w/]+\.py", word)
    ]
    collective = PACKAGE / "collective"
    roots = (
        *(PACKAGE.parents[1], PACKAGE.parent, PACKAGE, collective, collective / "publication"),
        Path(__file__).parent,
    )
    assert "collective/disclosure/sdc_rules.py" in named
    for name in named:
        assert any((root / name).is_file() for root in roots), name
