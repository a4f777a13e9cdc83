"""The terms of a grant: never wider than the request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from consometers_node.series import Device, Direction, Interval, Range, Series
from consometers_quoalise import Identification

from .errors import NotNarrower
from .need import DataNeed


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The household's choice. None stands for the whole request.

    `subscribed_kva` is the subscribed power of meters, of those that say it.
    """

    series: frozenset[Series]
    interval: Interval | None = None
    identification: Identification | None = None
    history_days: int | None = None
    duration_days: int | None = None
    subscribed_kva: Mapping[Device, int] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of a grant.

    Records of these series that start in `records_from <= t < valid_until` may leave, at an
    instant from `valid_from` on and before `valid_until`; beside them the `subscribed_kva` of their
    meters.
    """

    series: frozenset[Series]
    interval: Interval
    identification: Identification
    records_from: datetime
    valid_from: datetime
    valid_until: datetime
    subscribed_kva: Mapping[Series, int] = field(default_factory=dict, hash=False)

    @property
    def records(self) -> Range:
        """The start of the records that may leave."""
        return Range(self.records_from, self.valid_until)


@dataclass(frozen=True, slots=True)
class ShownText:
    """The text that a person read before answering, as the page showed it."""

    language: str
    body: str

    @property
    def hash(self) -> str:
        """The SHA-256 of the words in UTF-8, in hexadecimal."""
        return sha256(self.body.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Signature:
    """The person who answered (a user id of Home Assistant, or the user), and the text read."""

    who: str
    text: ShownText


def narrow(need: DataNeed, choice: Choice, at: datetime) -> Terms:
    """Return the terms of this choice from an instant on. Raises NotNarrower."""
    interval = choice.interval or need.interval
    if not interval.no_finer_than(need.interval):
        raise NotNarrower("interval")
    identification = choice.identification or need.identification
    if not identification.may_answer(need.identification):
        raise NotNarrower("identification")
    if not choice.series:
        raise NotNarrower("series")
    for series in choice.series:
        if not need.asks_for(series) or not series.interval.no_finer_than(interval):
            raise NotNarrower("series")
    start = at.replace(microsecond=0)
    history_days = _fewer("history_days", choice.history_days, need.history_days, least=0)
    duration_days = _fewer("duration_days", choice.duration_days, need.duration_days, least=1)
    return Terms(
        series=choice.series,
        interval=interval,
        identification=identification,
        records_from=start - timedelta(history_days),
        valid_from=start,
        valid_until=start + timedelta(duration_days),
        subscribed_kva=subscribed(need, choice),
    )


def subscribed(need: DataNeed, choice: Choice) -> dict[Series, int]:
    """Return the subscribed powers that leave with a choice: those that bound its records."""
    if not need.has_subscribed:
        return {}
    return {
        series: choice.subscribed_kva[series.device]
        for series in choice.series
        if series.direction is Direction.CONSUMPTION and series.device in choice.subscribed_kva
    }


def _fewer(field: str, chosen: int | None, asked: int, *, least: int) -> int:
    if chosen is None:
        return asked
    if not least <= chosen <= asked:
        raise NotNarrower(field)
    return chosen
