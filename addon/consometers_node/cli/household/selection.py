"""The choice for a data request: statistics of a home, or sums of a collective."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated

import typer

from consometers_node.cli.core.errors import misused
from consometers_node.cli.core.locale import say
from consometers_node.household.sharing.candidate_statistics import (
    offered,
    preview as previewed,
    subscribed,
)
from consometers_node.household.source import Source
from consometers_node.household.statistics import Proposal
from consometers_node.i18n.text import text
from consometers_node.permission import Choice, Identification
from consometers_node.series import Device, Direction, Interval, Series
from consometers_node.sharing.permissions.consent import (
    DataRequest,
    Preview,
    matching_series,
    preview,
)
from consometers_node.store import Store
from consometers_node.wire import Naming

from .source import source_of

DAYS = say("DAYS")

_UNKNOWN_DIRECTION = text(
    "“{said}” is no direction: write {statistic}=consumption, =injection or =production."
)
_NO_SUCH_STATISTIC = text("This home has no statistic of energy or power named {statistic}.")
_SAY_DIRECTION = text(
    "Which way does the energy of {statistic} flow? Write --series {statistic}=consumption,"
    " =injection or =production."
)
_NO_SUCH_SUM = text(
    "Nothing is published yet for {name} at the requested resolution: “grant” without --series"
    " lists the published series."
)
CHOOSE = text(
    "Choose series with --series, once for each: none is selected by default. “preview” shows"
    " the actual records that would leave."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The household's choice for a data need."""

    series: Annotated[
        list[str] | None,
        typer.Option(
            metavar=say("STATISTIC[=DIRECTION]"),
            help=say(
                "A statistic to share, with its direction to correct it:"
                " consumption, injection or production. Repeat for each series. A collective"
                " shares its sums: every direction of one, or the given direction."
            ),
        ),
    ] = None
    interval: Annotated[
        Interval | None,
        typer.Option(
            metavar="PT5M|PT30M|PT1H|P1D",
            help=say("A coarser resolution than requested."),
        ),
    ] = None
    history: Annotated[
        int | None,
        typer.Option(
            metavar=DAYS,
            min=0,
            help=say("A shorter history than requested."),
        ),
    ] = None
    duration: Annotated[
        int | None,
        typer.Option(
            metavar=DAYS,
            min=1,
            help=say("A shorter period than requested."),
        ),
    ] = None
    pseudonym: Annotated[
        bool,
        typer.Option(
            "--pseudonym",
            help=say("Under a pseudonym, even if the delivery point is requested."),
        ),
    ] = False


@asynccontextmanager
async def choosing(
    store: Store, naming: Naming, question: DataRequest
) -> AsyncIterator[Candidates]:
    """Yield this node's candidates, while the source can be reached."""
    if naming.collective is not None:
        async with store.reading() as connection:
            released = await matching_series(connection, naming, question.need)
        yield _Sums(store, naming, question, released)
        return
    async with source_of(store) as source:
        proposals, zone = await source.proposals(), await source.time_zone()
        yield _Statistics(naming, question, source, proposals, zone)


def choice(source: Candidates, question: DataRequest, chosen: Chosen) -> Choice:
    """Return the typed choice. Raises `CliError`."""
    if not chosen.series:
        raise misused("--series", CHOOSE)
    interval = chosen.interval or question.need.interval
    series = set[Series]()
    for typed in chosen.series:
        name, equals, flow = typed.partition("=")
        if equals and flow not in Direction:
            raise misused("--series", _UNKNOWN_DIRECTION.fill(said=flow, statistic=name))
        series.update(source.typed(name, Direction(flow) if equals else None, interval))
    return Choice(
        series=frozenset(series),
        interval=chosen.interval,
        identification=Identification.PSEUDONYM if chosen.pseudonym else None,
        history_days=chosen.history,
        duration_days=chosen.duration,
        subscribed_kva=source.subscribed_kva,
    )


@dataclass(frozen=True, slots=True)
class _Statistics:
    """The statistics of a household's Home Assistant."""

    naming: Naming
    question: DataRequest
    source: Source
    proposals: Sequence[Proposal]
    time_zone: str

    @property
    def subscribed_kva(self) -> Mapping[Device, int]:
        """The subscribed power of the meters that say it."""
        return subscribed(self.proposals)

    def offered(self, interval: Interval | None) -> Sequence[Series]:
        """Return what can be chosen; nothing is chosen yet."""
        return offered(self.question.need, self.proposals, self.time_zone, {}, interval)

    def typed(self, name: str, direction: Direction | None, interval: Interval) -> Iterable[Series]:
        """Return the candidate that a name means. Raises `CliError`."""
        matching = (candidate for candidate in self.proposals if candidate.statistic.id == name)
        proposal = next(matching, None)
        if proposal is None:
            raise misused("--series", _NO_SUCH_STATISTIC.fill(statistic=name))
        flows = direction or proposal.direction
        if flows is None:
            raise misused("--series", _SAY_DIRECTION.fill(statistic=name))
        return [proposal.series(interval, self.time_zone, flows)]

    async def preview(self, choice: Choice, days: int) -> Sequence[Preview]:
        """Return the records of the last days that would leave."""
        return await previewed(self.source, self.naming, self.question, choice, days=days)


@dataclass(frozen=True, slots=True)
class _Sums:
    """The sums that a collective has released."""

    store: Store
    naming: Naming
    question: DataRequest
    released: Sequence[Series]
    subscribed_kva: Mapping[Device, int] = field(default_factory=dict)

    def offered(self, interval: Interval | None) -> Sequence[Series]:
        return [
            released
            for released in self.released
            if interval is None or released.interval.no_finer_than(interval)
        ]

    def typed(self, name: str, direction: Direction | None, interval: Interval) -> Iterable[Series]:
        matching = [
            released
            for released in self.released
            if released.device == name
            and released.interval is interval
            and (direction is None or released.direction is direction)
        ]
        if not matching:
            raise misused("--series", _NO_SUCH_SUM.fill(name=name))
        return matching

    async def preview(self, choice: Choice, days: int) -> Sequence[Preview]:
        async with self.store.reading() as connection:
            return await preview(connection, self.naming, self.question, choice, days=days)


type Candidates = _Statistics | _Sums
"""This node's candidates for a data need."""
