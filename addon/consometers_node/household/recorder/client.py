"""Requests to Home Assistant's recorder, and its answers as our values."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
import re
from typing import Literal

from consometers_node.household.errors import NotOurs
from consometers_node.household.statistics import Proposal, Statistic, StatisticId, StatisticsRow
from consometers_node.i18n.text import Text, verbatim
from consometers_node.series import Range

from .errors import HomeAssistantRefusal, NotAnAdministrator, TooMuch, UnreadableAnswer
from .home_assistant import HomeAssistant, Json
from .statistics import (
    UNITS,
    derived,
    mappings,
    propose,
    statistics,
    subscribed_powers,
)

type Period = Literal["hour", "5minute"]

_TYPES = ["sum", "state", "mean"]
_ENERGY: Mapping[str, Json] = {
    # Cards show external statistics in the unit in which they were written.
    "unit_of_measurement": "kWh",
    "unit_class": "energy",
    "has_sum": True,
    "mean_type": 0,
}
# Home Assistant's rule for the name of an external statistic.
_EXTERNAL = re.compile(r"(?!.+__)(?!_)[\da-z_]+(?<!_):(?!_)[\da-z_]+(?<!_)", re.ASCII)
_NOT_ADMIN = "Unauthorized"


class Recorder:
    """The statistics of one Home Assistant. Each call asks once, and raises what `ask` raises."""

    def __init__(self, home: HomeAssistant) -> None:
        self._home = home

    async def connected(self) -> None:
        """Wait until it can be asked."""
        await self._home.connected()

    async def time_zone(self) -> str:
        """Return the name of the home's time zone, which defines its civil days."""
        match await self._home.ask("get_config"):
            case {"time_zone": str(name)}:
                return name
            case _:
                raise UnreadableAnswer(what="no time zone")

    async def language(self) -> str:
        """Return the language of the home, as a tag."""
        match await self._home.ask("get_config"):
            case {"language": str(tag)}:
                return tag
            case _:
                return "en"

    async def started(self) -> datetime | None:
        """Return since when it has run; None while it has no state yet.

        All of its states are made after it starts, those that it restores too, and some do not
        change for months. The oldest is some seconds younger than the start; never older.
        """
        answer = await self._home.ask("get_states")
        if not isinstance(answer, list):
            raise UnreadableAnswer(what="states that are no list")
        return min(map(_changed_at, answer), default=None)

    async def statistics(self) -> list[Statistic]:
        """Return every statistic of energy or power."""
        return statistics(await self._home.ask("recorder/list_statistic_ids"))

    async def proposals(self) -> list[Proposal]:
        """Return what a household may share, the Energy dashboard's statistics first.

        A statistic of an entity has the name that people know the entity by. Entities that the
        integration derives are left out, unless the dashboard shows them.
        """
        states = await self._home.ask("get_states")
        names = _names(states)
        listed = [
            replace(statistic, name=statistic.name or names.get(statistic.id))
            for statistic in await self.statistics()
        ]
        try:
            preferences = await self._home.ask("energy/get_prefs")
        except HomeAssistantRefusal:
            # Nobody has set up an Energy dashboard.
            preferences = None
        registry = await self._registry()
        powers = subscribed_powers(registry, states)
        return propose(listed, preferences, derived(registry), powers)

    async def subscribed_powers(self) -> Mapping[StatisticId, int]:
        """Return the subscribed power, in whole kVA, of the meter of each statistic."""
        registry = await self._registry()
        return subscribed_powers(registry, await self._home.ask("get_states"))

    async def rows(
        self, names: Sequence[StatisticId], period: Period, within: Range
    ) -> Mapping[StatisticId, Sequence[StatisticsRow]]:
        """Return the rows of statistics that start in a range; nothing for one without rows."""
        try:
            answer = await self._home.ask(
                "recorder/statistics_during_period",
                statistic_ids=list(names),
                period=period,
                start_time=within.start.isoformat(),
                end_time=within.end.isoformat(),
                types=_TYPES,
                units=UNITS,
            )
        except TooMuch:
            if len(names) < 2:
                raise
            half = len(names) // 2
            first = await self.rows(names[:half], period, within)
            return {**first, **await self.rows(names[half:], period, within)}
        return {name: _rows(rows) for name, rows in _by_name(answer).items()}

    async def may_write(self, name: StatisticId) -> bool:
        """Return whether an external statistic of energy in kWh exists, to be continued.

        False if there is none of that name. Raises NotOurs if it is of another kind.
        """
        answer = await self._home.ask("recorder/list_statistic_ids")
        entry = next(
            (statistic for statistic in mappings(answer) if statistic.get("statistic_id") == name),
            None,
        )
        if entry is None:
            return False
        match entry:
            case {
                "has_sum": True,
                "unit_class": "energy",
                "statistics_unit_of_measurement": "kWh",
                "source": source,
            } if source == _source(name):
                return True
        raise NotOurs(name=name)

    async def write(self, name: StatisticId, title: str, rows: Sequence[StatisticsRow]) -> None:
        """Insert or update rows of an external statistic of energy.

        Home Assistant puts them in a queue: when this returns they may not be there yet. Raises
        NotAnAdministrator.
        """
        metadata: Mapping[str, Json] = {
            "statistic_id": name,
            "source": _source(name),
            "name": title,
        }
        stats: list[Mapping[str, Json]] = [
            {"start": row.start.isoformat(), "state": _kwh(row.state), "sum": _kwh(row.sum)}
            for row in rows
        ]
        try:
            await self._home.ask(
                "recorder/import_statistics", metadata={**metadata, **_ENERGY}, stats=stats
            )
        except HomeAssistantRefusal as fault:
            if _NOT_ADMIN in str(fault):
                raise NotAnAdministrator from fault
            raise

    async def _registry(self) -> object:
        try:
            return await self._home.ask("config/entity_registry/list_for_display")
        except HomeAssistantRefusal:
            return None


def external(name: str) -> StatisticId:
    """Read the name of a statistic that the node may write: `consometers:grid`. ValueError."""
    if not _EXTERNAL.fullmatch(name) or name.startswith("recorder:"):
        raise ValueError(
            f"“{name}” names no statistic: write consometers:grid, or other words of small letters,"
            " digits and underscores with a colon between them"
        )
    return StatisticId(name)


def _source(name: StatisticId) -> str:
    return name.partition(":")[0]


def _names(states: object) -> Mapping[StatisticId, Text]:
    names = {}
    for state in states if isinstance(states, list) else ():
        match state:
            case {"entity_id": str(entity), "attributes": {"friendly_name": str(name)}}:
                names[StatisticId(entity)] = verbatim(name)
            case _:
                pass
    return names


def _changed_at(state: object) -> datetime:
    match state:
        case {"last_changed": str(at)}:
            try:
                return datetime.fromisoformat(at).astimezone(UTC)
            except ValueError:
                pass
        case _:
            pass
    raise UnreadableAnswer(what="a state without its time")


def _by_name(answer: object) -> Mapping[StatisticId, object]:
    if not isinstance(answer, Mapping):
        raise UnreadableAnswer(what="statistics without their ids")
    return {StatisticId(name): rows for name, rows in answer.items() if isinstance(name, str)}


def _rows(rows: object) -> list[StatisticsRow]:
    if not isinstance(rows, list):
        raise UnreadableAnswer(what="statistics that are no list")
    return [_row(row) for row in rows]


def _row(row: object) -> StatisticsRow:
    match row:
        case {"start": int(start_ms), **values}:
            return StatisticsRow(
                start=datetime.fromtimestamp(start_ms / 1000, UTC),
                sum=_float(values.get("sum")),
                state=_float(values.get("state")),
                mean=_float(values.get("mean")),
            )
        case _:
            raise UnreadableAnswer(what="a row without its start")


def _kwh(wh: float | None) -> float | None:
    return None if wh is None else wh / 1000


def _float(value: object) -> float | None:
    return value if isinstance(value, int | float) else None
