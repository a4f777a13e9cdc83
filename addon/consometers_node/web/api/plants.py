"""This home's part of plants in the API: `plants` in docs/node-api.md."""

from collections.abc import Iterable
from datetime import datetime

from consometers_node.household.statistics import PARTS
from consometers_node.household.statistics_import.collective_statistics import CollectiveStatistics
from consometers_node.household.statistics_import.totals import Totals, month_before
from consometers_node.store.household.plants import HeldPlant
from consometers_node.store.household.pulled import Pulled
from consometers_quoalise import Direction, iso8601

from .sums import Json

_DIGITS = 4
_NOTHING = Totals()


def plants(
    held: Iterable[HeldPlant],
    jid: str,
    pulled: Iterable[Pulled],
    together: CollectiveStatistics | None,
    *,
    drawn: int | None,
    now: datetime,
) -> Json:
    """Return the plants of a collective whose part is read; `drawn` is the home's last month."""
    reads = {series.statistic: series for series in pulled}
    return [
        _plant(plant, reads[plant.statistic], together, drawn, now)
        for plant in held
        if plant.jid == jid and plant.statistic in reads
    ]


def _plant(
    plant: HeldPlant,
    pulled: Pulled,
    together: CollectiveStatistics | None,
    drawn: int | None,
    now: datetime,
) -> Json:
    totals = together.plants.totals(plant) if together else _NOTHING
    last, today = totals.last(), totals.today(now)
    return {
        "id": plant.statistic.removeprefix(PARTS),
        "name": plant.name,
        "shares": plant.held,
        "total_shares": plant.total,
        "corrected": plant.corrected is not None,
        "statistic": plant.statistic,
        "last": None
        if last is None
        else {
            "start": iso8601.shown(last.start),
            "end": iso8601.shown(last.end),
            "production": _part(plant, last.energies.get(Direction.PRODUCTION)),
        },
        "today": None
        if today is None
        else {
            "date": today.day.isoformat(),
            "until": iso8601.shown(today.until),
            "production": _part(plant, today.figures[Direction.PRODUCTION].value),
        },
        "month": _month(plant, together, drawn, now),
        "problem": None if pulled.problem is None else {"en": pulled.problem, "fr": pulled.problem},
    }


def _month(
    plant: HeldPlant, together: CollectiveStatistics | None, drawn: int | None, now: datetime
) -> Json:
    month = month_before(now)
    made = together.plants.month(plant, month) if together else None
    if made is None:
        return None
    mine = round(made * plant.part)
    return {
        "month": f"{month:%Y-%m}",
        "production": mine,
        "consumption": drawn,
        "coverage": round(mine / drawn, _DIGITS) if drawn else None,
    }


def _part(plant: HeldPlant, made: float | None) -> int | None:
    """Return this home's part of a production, in whole Wh."""
    return None if made is None else round(made * plant.part)
