"""The sums of a collective in the API: `sums` in docs/node-api.md."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from consometers_node.household.statistics_import.collective_statistics import (
    CollectiveStatistics,
    average_of,
    of_collectives,
)
from consometers_node.household.statistics_import.monthly_consumption import drawn
from consometers_node.household.statistics_import.totals import (
    DayTotals,
    Energies,
    Last,
    Totals,
    month_before,
)
from consometers_node.sharing.status import Collective
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.household.pulled import Pulled
from consometers_quoalise import Direction, iso8601

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None

_NOTHING = Totals()


def sums(
    collective: Collective,
    pulled: Iterable[Pulled],
    together: CollectiveStatistics | None,
    mine: int | None,
    now: datetime,
) -> Json:
    """Return the sums of a collective; None where this home reads none.

    `mine` is what this home drew in the last month.
    """
    pulled = list(pulled)
    reads = of_collectives(pulled, collective.peer.jid)
    if not reads:
        return None
    totals = (together.totals(collective.peer.jid) if together else None) or _NOTHING
    last, today = totals.last(), totals.today(now)
    prices = together.prices(collective.peer.jid) if together else None
    problem = next((series.problem for series in reads.values() if series.problem), None)
    return {
        "interval": str(totals.interval) if totals.interval else None,
        "last": None if last is None else _last(last),
        "today": None if today is None else _today(today),
        "month": _month(collective, totals, mine, now),
        "statistics": {
            **{direction: _statistic(reads.get(direction), together) for direction in Direction},
            "consumption_per_member": _statistic(average_of(pulled, collective.peer.jid), together),
        },
        "prices": None
        if prices is None
        else {"local": float(prices.local), "grid": float(prices.grid)},
        "problem": None if problem is None else {"en": problem, "fr": problem},
    }


def _statistic(pulled: Pulled | None, together: CollectiveStatistics | None) -> Json:
    """Return the statistic of a direction; None where there is nothing of it."""
    if pulled is None or (together is not None and together.has_nothing(pulled.statistic)):
        return None
    return pulled.statistic


def _last(last: Last) -> Json:
    return {
        "start": iso8601.shown(last.start),
        "end": iso8601.shown(last.end),
        **_energies(last.energies),
        "members": last.members,
    }


def _today(today: DayTotals) -> Json:
    return {
        "date": today.day.isoformat(),
        "until": iso8601.shown(today.until),
        "figures": {
            key.replace("-", "_"): {"value": figure.value, "hours": figure.hours}
            for key, figure in today.figures.items()
        },
    }


async def drawn_last_month(
    connection: AsyncConnection, collective: Collective, now: datetime
) -> int | None:
    """Return this home's consumption in the last month, from what it shares with a collective."""
    shared = {each.id: each.series for each in collective.shared}
    return await drawn(connection, shared, month_before(now))


def _month(collective: Collective, totals: Totals, mine: int | None, now: datetime) -> Json:
    month = month_before(now)
    of_month = totals.month if totals.month and totals.month.month == month else None
    if collective.by_name:
        # A public building is no home, and not to be compared with them.
        of_month = None
    if of_month is None and mine is None:
        return None
    return {
        "month": f"{month:%Y-%m}",
        "mine": mine,
        "median": of_month.median if of_month else None,
        "lower": of_month.lower if of_month else None,
        "upper": of_month.upper if of_month else None,
    }


def _energies(energies: Energies) -> Mapping[str, Json]:
    return {direction: energies.get(direction) for direction in Direction}
