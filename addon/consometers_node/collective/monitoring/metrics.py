"""Every figure of a collective's monitoring, once: its name, its words, its source.

`/metrics` has them under these names, for Prometheus and for the Zabbix template; the health page
in the units that people read. A figure that is not known is left out.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import partial
from typing import Literal, NamedTuple, Never

from consometers_node.collective.counters import HistoryOutcome, PageAnswer, Timed
from consometers_node.collective.disclosure.reasons import INTERVAL_REASONS, Reason
from consometers_node.collective.members.members import MemberKind
from consometers_node.collective.publication.reading.queries import Latest
from consometers_node.collective.publication.reading.values import FlowRow
from consometers_node.collective.witness.register import Witnessed
from consometers_node.figures import FIGURES, Unit as FigureUnit
from consometers_node.i18n.text import Text, around, text, verbatim
from consometers_node.series import Direction
from consometers_protected_sums.exchange import Refusal

from .backups import BackupStep
from .health import Database, Health
from .problems import STORED, TITLES

type Value = float | Fraction | datetime | str | None
type Words = Mapping[str, Text]

_J_PER_WATT_MINUTE = Fraction(60)


@dataclass(frozen=True, slots=True)
class Unit:
    """Suffixes of metrics in it; the unit for people, and the factor."""

    suffixes: tuple[str, ...]
    symbol: str = ""
    factor: Fraction = Fraction(1)


INSTANT = Unit(("_timestamp_seconds", "_start_time_seconds"))
SECONDS = Unit(("_seconds",), "s")
BYTES = Unit(("_bytes",))
WATTS = Unit(("_watts",), "W")
JOULES = Unit(("_joules",), "Wh", Fraction(1, 3600))
RATIO = Unit(("_ratio",), "%", Fraction(100))
COUNT = Unit(("",))


class Label(NamedTuple):
    """The label of a metric's values, and the words for each."""

    name: str
    words: Words


@dataclass(frozen=True, slots=True)
class Metric[Source]:
    """A figure, or one for each value of its label. `value` takes its source, and that value.

    Its name says its unit, and whether it only grows until a restart, as Prometheus has it.
    """

    name: str
    title: Text
    help: Text
    value: Callable[[Source, str], Value]
    label: Label | None = None

    @property
    def is_counter(self) -> bool:
        """Whether it only grows until a restart."""
        return self.name.endswith("_total")

    @property
    def unit(self) -> Unit:
        """The unit in its name."""
        units = (INSTANT, SECONDS, BYTES, WATTS, JOULES, RATIO, COUNT)
        stem = self.name.removesuffix("_total")
        return next(unit for unit in units if stem.endswith(unit.suffixes))

    @property
    def words(self) -> Mapping[str, Text | None]:
        """The values of its label, with their words; one without words if it has none."""
        return {"": None} if self.label is None else self.label.words

    def values(self, source: Source) -> Iterator[tuple[str, float | str]]:
        """Yield the known values by label; an instant as a timestamp."""
        for label_value in self.words:
            value = self.value(source, label_value)
            if isinstance(value, datetime):
                value = value.timestamp()
            if value is not None:
                yield label_value, float(value) if isinstance(value, Fraction) else value


_KINDS: Words = {
    MemberKind.HOME: text("homes"),
    MemberKind.SITE: text("public buildings"),
    MemberKind.COLLECTIVE: text("collectives"),
}
_DIRECTIONS: Words = {
    Direction.CONSUMPTION: text("from the grid", context="energy"),
    Direction.INJECTION: text("to the grid", context="energy"),
    Direction.PRODUCTION: text("solar production"),
}
_MESSAGES: Words = {
    "acknowledged": text("stored and acknowledged"),
    "refused": text("refused", context="records"),
    "unkept": text("not stored, and sent again"),
    "dropped": text("no room, and sent again"),
}
_REQUESTS: Words = {
    "answered": text("answered"),
    "turned_down": text("turned down"),
    "failed": text("failed here"),
}
_VISITS: Words = {
    HistoryOutcome.DONE: text("everything was sent"),
    HistoryOutcome.BUSY: text("to be retried"),
    HistoryOutcome.AWAY: text("offline"),
    HistoryOutcome.REFUSED: text("refused", context="requests"),
}
_PAGES: Words = {
    PageAnswer.ANSWERED: text("answered"),
    PageAnswer.REFUSED: text("refused", context="requests"),
    PageAnswer.LIMITED: text("rate-limited"),
    PageAnswer.FAILED: text("failed here"),
}
_STEPS: Words = {
    BackupStep.MADE: text("made", context="backup"),
    BackupStep.TESTED: text("restored as a test", context="backup"),
    BackupStep.COPIED: text("copied off the site", context="backup"),
}
REFUSALS: Words = {
    Refusal.DOMINANCE: text("one home or two make most of the sum"),
    Refusal.INVALID: text("a home’s report does not prove its value"),
    Refusal.IMPLAUSIBLE: text("the sum is not that of its reports"),
    Refusal.TOO_FEW: text("fewer homes than one of them was promised"),
    Refusal.NOT_ENROLLED: text("a home was not enrolled, or had left"),
    Refusal.REPEATED: text("a home stood in the request twice"),
    Refusal.OPENED_BEFORE: text("a home’s hour had been opened before, or may have been"),
    Refusal.KEY_FORGOTTEN: text("a report was older than the keys"),
}
"""Why a witness refused sums, for those who run it: no reader and no home learns it."""
_OF_INTERVAL = verbatim("{said}")
_IN_INTERVAL = text("{said} In the last published interval.")
_OF_DAY = text("{said}, of the day")
_IN_DAY = text("{said} Over the day, up to the end of that interval.")
_TAKE = text("{said}: time")
_IN_ALL = text("{said} How long all of them took.")
_LAST = text("{said}: last one")
_THE_LAST = text("{said} How long the last one took.")


def _stored(value: Callable[[Database, str], Value]) -> Callable[[Health, str], Value]:
    """Return a figure of the database, while it can be read."""
    return lambda health, label: None if health.database is None else value(health.database, label)


def _givers(
    what: Literal["members", "begun", "series", "delivering"],
) -> Callable[[Health, str], Value]:
    return _stored(lambda database, kind: getattr(database.standing.granting.get(kind), what, 0))


def _witnessed(value: Callable[[Witnessed, str], int]) -> Callable[[Health, str], Value]:
    """Return the total over the collectives whose witness this node is; None without any."""
    return _stored(
        lambda database, label: (
            sum(value(each, label) for each in database.witnessed) if database.witnessed else None
        )
    )


def _energy(row: FlowRow, direction: str, factor: Fraction) -> Value:
    watt_minutes = row[direction].amount
    return None if watt_minutes is None else watt_minutes * factor


def _rates(
    prefix: str, title: Text, sentence: Text, row: Callable[[Latest], FlowRow]
) -> tuple[Metric[Latest], ...]:
    """Return a metric for each rate of the table of figures."""
    return tuple(
        Metric(
            f"consometers_published_{prefix}{key.replace('-', '_')}_ratio",
            around(title, figure.title),
            around(sentence, figure.meaning),
            partial(_ratio, key, row),
        )
        for key, figure in FIGURES.items()
        if figure.unit is FigureUnit.RATIO
    )


def _ratio(key: str, row: Callable[[Latest], FlowRow], latest: Latest, _: str) -> Value:
    return row(latest)[key].ratio


def _timed(
    name: str, title: Text, sentence: Text, timed: Callable[[Health], Timed]
) -> tuple[Metric[Health], ...]:
    """Return the metrics of work that takes time: how often, how long all of it, and the last."""
    return (
        Metric(f"{name}_total", title, sentence, lambda health, _: timed(health).count),
        Metric(
            f"{name}_seconds_total",
            around(_TAKE, title),
            around(_IN_ALL, sentence),
            lambda health, _: timed(health).seconds,
        ),
        Metric(
            f"{name}_last_seconds",
            around(_LAST, title),
            around(_THE_LAST, sentence),
            lambda health, _: timed(health).last_s,
        ),
    )


HEALTH: tuple[Metric[Health], ...] = (
    Metric(
        "consometers_node",
        text("Version"),
        text("The version of the node."),
        lambda health, _: health.version,
    ),
    Metric(
        "consometers_problem",
        text("Problem"),
        text("1 while there is a problem."),
        lambda health, kind: (
            None if kind in STORED and health.database is None else kind in health.kinds
        ),
        Label("kind", TITLES),
    ),
    Metric(
        "consometers_backup_timestamp_seconds",
        text("Last backup"),
        text("When a backup was last made, restored as a test, and copied off the site."),
        _stored(lambda database, step: database.backups.last.get(BackupStep(step))),
        Label("step", _STEPS),
    ),
    Metric(
        "consometers_certificate_end_timestamp_seconds",
        text("Certificate valid until"),
        text("When the certificate of the XMPP server or of the pages expires."),
        lambda health, _: health.certificate_ends,
    ),
    Metric(
        "consometers_members",
        text("Members"),
        text("Members with an active permission."),
        _givers("members"),
        Label("kind", _KINDS),
    ),
    Metric(
        "consometers_members_begun",
        text("Members that have begun"),
        text("Members with an active permission that have sent records at least once."),
        _givers("begun"),
        Label("kind", _KINDS),
    ),
    Metric(
        "consometers_members_delivering",
        text("Members delivering"),
        text(
            "Members that sent records in the last hours, or in the last days if they send daily"
            " records."
        ),
        _givers("delivering"),
        Label("kind", _KINDS),
    ),
    Metric(
        "consometers_series_granted",
        text("Series allowed"),
        text("Series that members allow this collective to read."),
        _givers("series"),
        Label("kind", _KINDS),
    ),
    Metric(
        "consometers_guests",
        text("Guests"),
        text("Members without an active permission."),
        _stored(lambda database, _: database.standing.guests),
    ),
    Metric(
        "consometers_members_away",
        text("Members away"),
        text("Members that were offline at the last request."),
        lambda health, _: health.away,
    ),
    Metric(
        "consometers_messages_total",
        text("Messages of records"),
        text("Record messages sent by members, by outcome."),
        lambda health, outcome: getattr(health.counts.traffic, outcome),
        Label("outcome", _MESSAGES),
    ),
    Metric(
        "consometers_messages_waiting",
        text("Messages waiting"),
        text("Messages being stored or waiting."),
        lambda health, _: health.waiting,
    ),
    Metric(
        "consometers_visits_total",
        text("Questions to members"),
        text("Requests to members for their history, by outcome."),
        lambda health, outcome: health.counts.visits[HistoryOutcome(outcome)],
        Label("outcome", _VISITS),
    ),
    Metric(
        "consometers_requests_total",
        text("Requests of peers"),
        text("Requests of peers, by outcome."),
        lambda health, outcome: getattr(health.counts.traffic, outcome),
        Label("outcome", _REQUESTS),
    ),
    Metric(
        "consometers_pages_total",
        text("Pages"),
        text("Requests for pages and open data, by answer."),
        lambda health, outcome: health.counts.pages[PageAnswer(outcome)],
        Label("outcome", _PAGES),
    ),
    Metric(
        "consometers_outbox_messages",
        text("Sums waiting to be sent"),
        text("Sums sent to subscribers and not yet acknowledged."),
        _stored(lambda database, _: database.standing.outbox),
    ),
    *_timed(
        "consometers_commits",
        text("Commits"),
        text("Transactions that stored records of members."),
        lambda health: health.counts.commits,
    ),
    *_timed(
        "consometers_closings",
        text("Closings"),
        text("Transactions that closed due intervals."),
        lambda health: health.counts.closings,
    ),
    Metric(
        "consometers_closing_timestamp_seconds",
        text("Last closing"),
        text("The time of the last closing, since the node started."),
        lambda health, _: health.counts.closed_at,
    ),
    Metric(
        "consometers_published_timestamp_seconds",
        text("Published until"),
        text("The end of the last interval with a published sum of all members."),
        _stored(lambda database, _: database.latest.interval.end if database.latest else None),
    ),
    Metric(
        "consometers_intervals_suppressed",
        text("Intervals without a sum"),
        text("Intervals of yesterday and today without a published sum of homes, by the reason."),
        _stored(lambda database, reason: database.withheld.get(Reason(reason), 0)),
        Label("reason", {reason: reason.short for reason in INTERVAL_REASONS}),
    ),
    Metric(
        "consometers_witness_homes",
        text("Homes that enrolled with this witness"),
        text("Homes whose keys this node holds, as the witness of other collectives."),
        _witnessed(lambda witnessed, _: witnessed.homes),
    ),
    Metric(
        "consometers_witness_sums_opened",
        text("Protected sums opened"),
        text("Protected sums that this witness opened, since the first one."),
        _witnessed(lambda witnessed, _: witnessed.opened),
    ),
    Metric(
        "consometers_witness_sums_refused",
        text("Protected sums refused"),
        text("Protected sums that this witness refused, by the reason, since the first one."),
        _witnessed(lambda witnessed, reason: witnessed.refused.get(reason, 0)),
        Label("reason", REFUSALS),
    ),
    Metric(
        "consometers_witness_opening_timestamp_seconds",
        text("Last opening of a protected sum"),
        text("When this witness last opened a protected sum."),
        _stored(
            lambda database, _: max(
                (each.last_opening for each in database.witnessed if each.last_opening),
                default=None,
            )
        ),
    ),
    Metric(
        "consometers_witness_opens_from_timestamp_seconds",
        text("First hour that this witness opens"),
        text("As a witness that was set back to an earlier state, it opens no hour before."),
        _stored(
            lambda database, _: None if database.set_back is None else database.set_back.opens_from
        ),
    ),
    Metric(
        "consometers_database_size_bytes",
        text("Size of the database"),
        text("Size of the database."),
        _stored(lambda database, _: database.size_bytes),
    ),
    Metric(
        "process_resident_memory_bytes",
        text("Memory"),
        text("Memory used by the process."),
        lambda health, _: health.memory_bytes,
    ),
    Metric(
        "process_cpu_seconds_total",
        text("CPU time"),
        text("CPU time used by the process."),
        lambda health, _: health.cpu_s,
    ),
    Metric(
        "process_start_time_seconds",
        text("Start", context="of the node"),
        text("When the node started."),
        lambda health, _: health.counts.since,
    ),
)
"""The state of the node."""

PUBLISHED: tuple[Metric[Latest], ...] = (
    Metric(
        "consometers_published_power_watts",
        text("Power"),
        text("Mean power of all members in the last published interval."),
        lambda latest, direction: _energy(
            latest.interval, direction, 1 / Fraction(latest.interval.hours * 60)
        ),
        Label("direction", _DIRECTIONS),
    ),
    Metric(
        "consometers_published_members",
        text("Members in the sum"),
        text("Members in the sum of energy from the grid in that interval."),
        lambda latest, _: latest.interval[Direction.CONSUMPTION].members or None,
    ),
    *_rates("", _OF_INTERVAL, _IN_INTERVAL, lambda latest: latest.interval),
    Metric(
        "consometers_published_today_joules",
        text("Energy of the day"),
        text("Energy of all members, of the day up to the end of that interval."),
        lambda latest, direction: _energy(latest.day, direction, _J_PER_WATT_MINUTE),
        Label("direction", _DIRECTIONS),
    ),
    *_rates("today_", _OF_DAY, _IN_DAY, lambda latest: latest.day),
)
"""The published figures of all members: of the last interval, and of its day."""

ALL: tuple[Metric[Never], ...] = (*HEALTH, *PUBLISHED)
