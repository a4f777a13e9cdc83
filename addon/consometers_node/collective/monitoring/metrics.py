"""Every figure by which a collective is watched, once: its name, its words, where it comes from.

`/metrics` has them under these names, for Prometheus and for the Zabbix template; the health page
in the units that people read. A figure that is not known is left out.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from fractions import Fraction
from typing import Literal, Never

from ...quoalise import Text
from ...quoalise.text import around, text
from ...series import Direction
from ..counters import Page, Timed, Visit
from ..disclosure.sdc_rules import Reason
from ..members.members import Kind
from ..publication.snapshots import Moment, Together
from .health import Database, Health

type Value = float | str | None

_J_PER_WATT_MINUTE = 60


class Type(Enum):
    """What a figure does: it comes and goes, it only grows until a restart, it is words."""

    GAUGE = "gauge"
    COUNTER = "counter"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Unit:
    """How Prometheus names a unit; what people read in its place, and how many of it one makes."""

    suffix: str = ""
    shown: str = ""
    factor: Fraction = Fraction(1)


COUNT = Unit()
SECONDS = Unit("seconds", "s")
INSTANT = Unit("timestamp_seconds")
BYTES = Unit("bytes")
WATTS = Unit("watts", "W")
JOULES = Unit("joules", "Wh", Fraction(1, 3600))
RATIO = Unit("ratio", "%", Fraction(100))


@dataclass(frozen=True, slots=True)
class Label:
    """What a figure is told apart by, and the words for each."""

    name: str
    over: Mapping[str, Text]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact[Source]:
    """A figure, or one for each value of its label. `value` takes what it is of, and that value."""

    name: str
    what: Text
    """A title, in few words."""
    told: Text
    """A sentence."""
    value: Callable[[Source, str], Value]
    type: Type = Type.GAUGE
    unit: Unit = COUNT
    label: Label | None = None

    @property
    def each(self) -> Mapping[str, Text | None]:
        """The values of its label, with their words; one without words if it has none."""
        return {"": None} if self.label is None else self.label.over

    def values(self, source: Source) -> Iterator[tuple[str, float | str]]:
        """Yield what is known, by the values of its label."""
        for of in self.each:
            value = self.value(source, of)
            if value is not None:
                yield of, value


_KINDS = Label(
    "kind",
    {
        Kind.HOME: text("homes"),
        Kind.SITE: text("public buildings"),
        Kind.COLLECTIVE: text("collectives"),
    },
)
_DIRECTIONS = Label(
    "direction",
    {
        Direction.CONSUMPTION: text("drawn from the grid", context="energy"),
        Direction.INJECTION: text("fed into the grid", context="energy"),
        Direction.PRODUCTION: text("solar production"),
    },
)
_REASONS = Label(
    "reason",
    {
        "not_yet": text("not closed yet"),
        "below_threshold": text("too few homes"),
        "dominance": text("one home makes most of it", context="figure of monitoring"),
        "never": text("so short a time is not published"),
    },
)
_MESSAGES = Label(
    "outcome",
    {
        "acknowledged": text("kept and acknowledged"),
        "refused": text("refused", context="records"),
        "unkept": text("not kept, and sent again"),
        "dropped": text("no room, and sent again"),
    },
)
_REQUESTS = Label(
    "outcome",
    {
        "answered": text("answered"),
        "turned_down": text("turned down"),
        "failed": text("failed here"),
    },
)
_VISITS = Label(
    "outcome",
    {
        Visit.DONE: text("all was told"),
        Visit.BUSY: text("to be asked again"),
        Visit.AWAY: text("not there"),
        Visit.REFUSED: text("refused", context="requests"),
    },
)
_PAGES = Label(
    "outcome",
    {
        Page.ANSWERED: text("answered"),
        Page.REFUSED: text("refused", context="requests"),
        Page.LIMITED: text("too many of one"),
        Page.FAILED: text("failed here"),
    },
)
_PROBLEMS = Label(
    "kind",
    {
        "network": text("not on the network"),
        "database": text("the database cannot be used"),
        "clock": text("the clock is not confirmed"),
    },
)
_TAKE = text("{said}: time")
_IN_ALL = text("{said} How long all of them took.")
_LAST = text("{said}: last one")
_THE_LAST = text("{said} How long the last one took.")


def _of(health: Health, kind: str, what: Literal["members", "series", "delivering"]) -> Value:
    if health.database is None:
        return None
    given = health.database.standing.givers.get(kind)
    return 0 if given is None else getattr(given, what)


def _stored(value: Callable[[Database], Value]) -> Callable[[Health, str], Value]:
    """Return a figure that the database tells, as long as it does."""
    return lambda health, _: None if health.database is None else value(health.database)


def _withheld(health: Health, reason: str) -> Value:
    found = health.database
    return None if found is None else found.withheld.get(Reason(reason), 0)


def _instant(at: datetime | None) -> Value:
    return None if at is None else at.timestamp()


def _watts(moment: Moment, direction: str) -> Value:
    energy = moment.now.watt_minutes.get(Direction(direction))
    return None if energy is None else energy / moment.minutes


def _joules(together: Together, direction: str) -> Value:
    energy = together.watt_minutes.get(Direction(direction))
    return None if energy is None else energy * _J_PER_WATT_MINUTE


def _ratio(share: Fraction | None) -> Value:
    return None if share is None else float(share)


def _timed(
    name: str, what: Text, told: Text, timings: Callable[[Health], Timed]
) -> tuple[Fact[Health], ...]:
    """Return the facts of work that takes time: how often, how long all of it, and the last."""
    return (
        Fact(
            name=f"{name}_total",
            what=what,
            told=told,
            type=Type.COUNTER,
            value=lambda health, _: timings(health).count,
        ),
        Fact(
            name=f"{name}_seconds_total",
            what=around(_TAKE, what),
            told=around(_IN_ALL, told),
            type=Type.COUNTER,
            unit=SECONDS,
            value=lambda health, _: timings(health).seconds,
        ),
        Fact(
            name=f"{name}_last_seconds",
            what=around(_LAST, what),
            told=around(_THE_LAST, told),
            unit=SECONDS,
            value=lambda health, _: timings(health).last_s,
        ),
    )


HEALTH: tuple[Fact[Health], ...] = (
    Fact(
        name="consometers_node",
        what=text("Version"),
        told=text("The version of the node."),
        type=Type.WORDS,
        value=lambda health, _: health.version,
    ),
    Fact(
        name="consometers_problem",
        what=text("Problem"),
        told=text("1 while something is in the way."),
        label=_PROBLEMS,
        value=lambda health, kind: (
            not {
                "network": health.online,
                "database": health.writes,
                "clock": health.confirmed,
            }[kind]
        ),
    ),
    Fact(
        name="consometers_members",
        what=text("Members"),
        told=text("Members with a permission that holds."),
        label=_KINDS,
        value=lambda health, kind: _of(health, kind, "members"),
    ),
    Fact(
        name="consometers_members_delivering",
        what=text("Members delivering"),
        told=text(
            "Members that told something in the last hours, or days where a day is all they tell."
        ),
        label=_KINDS,
        value=lambda health, kind: _of(health, kind, "delivering"),
    ),
    Fact(
        name="consometers_series_granted",
        what=text("Series granted"),
        told=text("Series that members let this collective read."),
        label=_KINDS,
        value=lambda health, kind: _of(health, kind, "series"),
    ),
    Fact(
        name="consometers_guests",
        what=text("Guests"),
        told=text("Members that have granted nothing, or no longer."),
        value=_stored(lambda database: database.standing.guests),
    ),
    Fact(
        name="consometers_members_away",
        what=text("Members away"),
        told=text("Members that were not there when they were asked last."),
        value=lambda health, _: health.away,
    ),
    Fact(
        name="consometers_messages_total",
        what=text("Messages of records"),
        told=text("Messages of records that members pushed, by what became of them."),
        type=Type.COUNTER,
        label=_MESSAGES,
        value=lambda health, outcome: getattr(health.counts.traffic, outcome),
    ),
    Fact(
        name="consometers_messages_waiting",
        what=text("Messages waiting"),
        told=text("Messages that are being kept, or wait for it."),
        value=lambda health, _: health.waiting,
    ),
    Fact(
        name="consometers_visits_total",
        what=text("Questions to members"),
        told=text("Members that were asked for their past, by how it ended."),
        type=Type.COUNTER,
        label=_VISITS,
        value=lambda health, outcome: health.counts.visits[Visit(outcome)],
    ),
    Fact(
        name="consometers_requests_total",
        what=text("Requests of peers"),
        told=text("Requests of peers, by what became of them."),
        type=Type.COUNTER,
        label=_REQUESTS,
        value=lambda health, outcome: getattr(health.counts.traffic, outcome),
    ),
    Fact(
        name="consometers_pages_total",
        what=text("Pages"),
        told=text("Requests for pages and open data, by how they were answered."),
        type=Type.COUNTER,
        label=_PAGES,
        value=lambda health, outcome: health.counts.pages[Page(outcome)],
    ),
    Fact(
        name="consometers_outbox_messages",
        what=text("Sums waiting to be sent"),
        told=text("Pushes to those who read the sums that were not acknowledged yet."),
        value=_stored(lambda database: database.standing.outbox),
    ),
    *_timed(
        "consometers_commits",
        text("Commits"),
        text("Transactions that kept what members told."),
        lambda health: health.counts.commits,
    ),
    *_timed(
        "consometers_closings",
        text("Closings"),
        text("Transactions that closed what was due of the intervals."),
        lambda health: health.counts.looks,
    ),
    Fact(
        name="consometers_closing_timestamp_seconds",
        what=text("Last closing"),
        told=text("When an interval was closed last, since the node started."),
        unit=INSTANT,
        value=lambda health, _: _instant(health.counts.released_at),
    ),
    Fact(
        name="consometers_published_timestamp_seconds",
        what=text("Published until"),
        told=text("The end of the last interval of which a sum of all members is published."),
        unit=INSTANT,
        value=_stored(
            lambda database: None if database.moment is None else _instant(database.moment.end)
        ),
    ),
    Fact(
        name="consometers_intervals_suppressed",
        what=text("Intervals without a sum"),
        told=text(
            "Intervals of yesterday and today without a published sum of homes, by the reason."
        ),
        label=_REASONS,
        value=_withheld,
    ),
    Fact(
        name="consometers_database_size_bytes",
        what=text("Size of the database"),
        told=text("How much room the database takes."),
        unit=BYTES,
        value=_stored(lambda database: database.size_bytes),
    ),
    Fact(
        name="process_resident_memory_bytes",
        what=text("Memory"),
        told=text("Memory that the process has."),
        unit=BYTES,
        value=lambda health, _: health.memory_bytes,
    ),
    Fact(
        name="process_cpu_seconds_total",
        what=text("CPU time"),
        told=text("Time that the process computed."),
        type=Type.COUNTER,
        unit=SECONDS,
        value=lambda health, _: health.cpu_s,
    ),
    Fact(
        name="process_start_time_seconds",
        what=text("Start", context="of the node"),
        told=text("When the node started."),
        unit=INSTANT,
        value=lambda health, _: _instant(health.counts.since),
    ),
)
"""How the node goes."""

PUBLISHED: tuple[Fact[Moment], ...] = (
    Fact(
        name="consometers_published_power_watts",
        what=text("Power"),
        told=text("Mean power of all members in the last interval that is published."),
        unit=WATTS,
        label=_DIRECTIONS,
        value=_watts,
    ),
    Fact(
        name="consometers_published_members",
        what=text("Members in the sum"),
        told=text("Members in the sum of what was drawn from the grid in that interval."),
        value=lambda moment, _: moment.members,
    ),
    Fact(
        name="consometers_published_self_sufficiency_ratio",
        what=text("Self-sufficiency rate"),
        told=text("Which share of what was used in that interval was produced by the members."),
        unit=RATIO,
        value=lambda moment, _: _ratio(moment.now.self_sufficiency),
    ),
    Fact(
        name="consometers_published_today_joules",
        what=text("Energy of the day"),
        told=text("Energy of all members, of the day up to the end of that interval."),
        unit=JOULES,
        label=_DIRECTIONS,
        value=lambda moment, direction: _joules(moment.today, direction),
    ),
    Fact(
        name="consometers_published_today_self_sufficiency_ratio",
        what=text("Self-sufficiency rate of the day"),
        told=text("Which share of what was used this day was produced by the members."),
        unit=RATIO,
        value=lambda moment, _: _ratio(moment.today.self_sufficiency),
    ),
    Fact(
        name="consometers_published_today_self_consumption_ratio",
        what=text("Self-consumption rate of the day"),
        told=text("Which share of what was produced this day was used on the spot."),
        unit=RATIO,
        value=lambda moment, _: _ratio(moment.today.self_consumption),
    ),
)
"""What is published of all members: of the last interval, and of the day that it is in."""

ALL: tuple[Fact[Never], ...] = (*HEALTH, *PUBLISHED)
