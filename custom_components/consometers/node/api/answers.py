"""A node's answers, as in docs/node-api.md. Pure: JSON in, frozen values out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, cast

import probatio as vol

from .validation import (
    Cents,
    Hours,
    Month as MonthName,
    NodeId,
    Percent,
    PlantId,
    Positive,
    Ratio,
    Statistic,
    Wh,
    schema,
)

VERSION: Final = 1
"""The supported version of the API."""

GRANTED: Final = "granted"

type Words = Mapping[str, str]
"""A sentence by its language."""


class NotAnAnswer(ValueError):
    """An answer is not valid."""


class VersionTooNew(ValueError):
    """An answer is of a version that is not supported yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedSums:
    """A witness's report on a permission: in how many hours the home is in an opened sum.

    `least_homes` is how many homes the smallest of these has; in `invalid_hours`, the home’s own
    report was invalid. None until the witness has answered.
    """

    opened_hours: Mapping[str, int] | None
    least_homes: int | None
    invalid_hours: int | None
    homes: int | None
    """Homes enrolled for the collective; None also where they are fewer than was promised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """The household's answer to one data need."""

    id: str
    title: Words
    state: str
    paused: bool
    series: int
    valid_until: datetime | None
    newer_version: str | None
    """Of a granted permission, the id of the proposed one for a newer version of its need."""
    protected: ProtectedSums | None = None
    """None unless records leave masked. Older nodes omit it."""

    @property
    def granted(self) -> bool:
        """Whether something may leave by it, now or once it is resumed."""
        return self.state == GRANTED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Interval:
    """An interval with known energies."""

    start: datetime
    end: datetime

    def mean_w(self, energy_wh: int | None) -> int | None:
        """Return the mean power of one of its energies."""
        if energy_wh is None:
            return None
        return round(energy_wh * timedelta(hours=1) / (self.end - self.start))

    def __post_init__(self) -> None:
        """Check that it lasts."""
        if not self.start < self.end:
            raise vol.Invalid("an interval that ends before it begins")


@dataclass(frozen=True, slots=True, kw_only=True)
class Last(_Interval):
    """The energies of a collective's homes together in the last known interval, Wh."""

    consumption: Wh | None
    injection: Wh | None
    production: Wh | None
    members: int | None
    """How many homes are in the consumption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayEnergy:
    """An energy of the day, Wh, and the hours that it covers."""

    value: Wh | None
    hours: Hours


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRate:
    """A rate of the day, and the hours that it covers."""

    value: Ratio | None
    hours: Hours


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """The figures of the collective's day so far, each over the hours of which it is known."""

    consumption: DayEnergy
    injection: DayEnergy
    production: DayEnergy
    shared_locally: DayEnergy
    local_coverage: DayRate
    self_consumption: DayRate
    self_sufficiency: DayRate


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """The collective's day so far."""

    date: date
    until: datetime | None
    figures: DayFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """This home's consumption in the last complete month, and the collective's homes', Wh.

    The median and the quartiles are of a home.
    """

    month: MonthName
    mine: Wh | None
    median: Wh | None
    lower: Wh | None
    upper: Wh | None

    @property
    def difference(self) -> float | None:
        """What this home drew beyond the median, as a part of it."""
        if self.mine is None or not self.median:
            return None
        return self.mine / self.median - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Under which ids Home Assistant's recorder keeps a collective's sums."""

    consumption: Statistic | None
    injection: Statistic | None
    production: Statistic | None
    consumption_per_member: Statistic | None = None
    """None of nodes before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """A collective's prices of a kWh, in euro cents: from a member, from the grid."""

    local: Cents
    grid: Cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """The sums of all members that a collective sends them."""

    last: Last | None
    today: Today | None
    month: Month | None
    statistics: Statistics | None
    problem: Words | None
    """Why some of it is missing."""
    prices: Prices | None = None
    """None where it states none, and of older nodes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLast(_Interval):
    """The production of this home's part of a plant in the last known interval, Wh."""

    production: Wh | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartToday:
    """Its production in the collective's day so far, Wh."""

    date: date
    until: datetime | None
    production: Wh | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartMonth:
    """Its production in the last complete month, beside the home's consumption, Wh.

    `coverage` is the one as a part of the other, and may be above 1.
    """

    month: MonthName
    production: Wh | None
    consumption: Wh | None
    coverage: Ratio | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """Panels of which this home holds shares, with its part of the production."""

    id: PlantId
    name: str
    shares: int
    total_shares: Positive
    corrected: bool
    """Whether the number of shares is the home's own, and not the collective's."""
    statistic: Statistic
    last: PartLast | None
    today: PartToday | None
    month: PartMonth | None
    problem: Words | None
    """Why some of it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A change in percent relative to all others: negative is a saving.

    It lies between `low` and `high`, and the rank between `rank_first` and `rank_last`.
    """

    change: Percent
    low: Percent
    high: Percent
    rank_first: Positive
    rank_last: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """A challenge in which this home's commune takes part; `objective` is so many percent less.

    `standing` is None until enough weeks are over.
    """

    name: Words
    first_day: date = field(metadata={"key": "from"})
    last_day: date = field(metadata={"key": "to"})
    objective: Positive
    participant: str
    participants: Positive
    standing: Standing | None

    @property
    def change(self) -> float | None:
        """How much less the commune used than the year before, relative to the others."""
        return None if self.standing is None else self.standing.change

    @property
    def attributes(self) -> dict[str, str | float | None]:
        """Its other known facts."""
        standing = self.standing
        ranks: dict[str, float | None] = {
            name: None if standing is None else getattr(standing, name)
            for name in ("low", "high", "rank_first", "rank_last")
        }
        return {
            "name_en": self.name.get("en"),
            "name_fr": self.name.get("fr"),
            "participant": self.participant,
            "participants": self.participants,
            "objective": -self.objective,
            "first_day": self.first_day.isoformat(),
            "last_day": self.last_day.isoformat(),
            **ranks,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A collective's message to the household, which nobody has marked as read."""

    id: str
    time: datetime
    text: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Collective:
    """A peer that requests series of the household, and its permissions."""

    id: str
    jid: str
    name: str
    acknowledged_until: datetime | None
    waiting: int
    waiting_since: datetime | None
    problem: Words | None
    by_name: bool
    """Whether it may show what it reads under the household's name, as of a public building."""
    permissions: tuple[Permission, ...]
    sums: Sums | None = None
    """None unless the node reads them. Older nodes omit it."""
    plants: tuple[Plant, ...] | None = None
    """None of nodes before them."""
    challenge: Challenge | None = None
    letters: tuple[Letter, ...] | None = None
    """None of nodes before them."""

    @property
    def last(self) -> Last | None:
        """Its last known interval."""
        return None if self.sums is None else self.sums.last

    @property
    def today(self) -> Today | None:
        """Its day so far."""
        return None if self.sums is None else self.sums.today

    @property
    def month(self) -> Month | None:
        """Its last complete month."""
        return None if self.sums is None else self.sums.month

    @property
    def statistics(self) -> Statistics | None:
        """The ids of its statistics."""
        return None if self.sums is None else self.sums.statistics

    @property
    def prices(self) -> Prices | None:
        """Its prices."""
        return None if self.sums is None else self.sums.prices

    @property
    def granted(self) -> tuple[Permission, ...]:
        """The permissions under which something may leave."""
        return tuple(permission for permission in self.permissions if permission.granted)

    @property
    def protected(self) -> ProtectedSums | None:
        """The witness's report on the one masked permission, if there is one."""
        sums = (permission.protected for permission in self.granted)
        return next((each for each in sums if each and each.opened_hours is not None), None)

    @property
    def paused(self) -> bool:
        """Whether all grants are paused."""
        return bool(self.granted) and all(permission.paused for permission in self.granted)


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeAssistant:
    """Whether the node reads its Home Assistant."""

    connected: bool
    problem: Words | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """The household's node."""

    version: str
    id: NodeId
    account: str | None
    online: bool
    problem: Words | None
    clock: Words | None
    """Why the node takes its clock for wrong."""
    home_assistant: HomeAssistant
    collectives: tuple[Collective, ...]

    def collective(self, collective_id: str) -> Collective | None:
        """Find a peer."""
        return next((each for each in self.collectives if each.id == collective_id), None)

    @property
    def plants(self) -> Mapping[str, Plant]:
        """The plants of all collectives, each by a name that no other one has here."""
        return {
            plant_key(collective.id, plant.id): plant
            for collective in self.collectives
            for plant in collective.plants or ()
        }


def plant_key(collective_id: str, plant_id: str) -> str:
    """Name a plant of a collective. No collective is named so."""
    return f"{collective_id}:{plant_id}"


def node(answer: object) -> Node:
    """Parse the answer to GET /api/v1/node. Raises NotAnAnswer or VersionTooNew."""
    version = answer.get("api") if isinstance(answer, dict) else None
    if not isinstance(version, int):
        raise NotAnAnswer("no version of the API")
    if version > VERSION:
        raise VersionTooNew(f"version {version} of the API")
    try:
        return cast(Node, _NODE(answer))
    except vol.Invalid as error:
        raise NotAnAnswer("not as the API has it") from error


def words_in(language: str, words: Words) -> str:
    """Return words in a language, else in English, else in any."""
    return next((words[each] for each in (language, "en", *words) if each in words), "")


_NODE: Final = schema(Node)
