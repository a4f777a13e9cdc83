"""A home's candidates for a data need, their directions, and the records that would leave."""

from collections.abc import Iterable, Mapping, Sequence

from consometers_node.household.readings import Flag
from consometers_node.household.source import SeriesReader
from consometers_node.household.statistics import Proposal
from consometers_node.permission import Choice, DataNeed
from consometers_node.series import Device, Direction, Interval, Quantity, Range, Record, Series
from consometers_node.sharing.permissions.consent import DataRequest, Preview, sight
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.settings import set_setting, settings_like
from consometers_node.wire import Naming

_PREFIX = "direction."


def offered(
    need: DataNeed,
    proposals: Sequence[Proposal],
    time_zone: str,
    directions: Mapping[str, Direction],
    interval: Interval | None = None,
) -> list[Series]:
    """Return the series of a home that a data need covers: registers first, in their order.

    `directions` are those that a person said of a statistic. Nothing is chosen by this.
    """
    offers = []
    for proposal in sorted(
        proposals, key=lambda proposal: proposal.statistic.quantity is not Quantity.ENERGY
    ):
        direction = directions.get(proposal.statistic.id, proposal.direction)
        if direction is not None:
            series = proposal.series(interval or need.interval, time_zone, direction)
            if need.asks_for(series):
                offers.append(series)
    return offers


def subscribed(proposals: Iterable[Proposal]) -> dict[Device, int]:
    """Return the subscribed power of the meters of a home, in kVA, by series' device."""
    return {
        Device(proposal.statistic.id): proposal.subscribed_kva
        for proposal in proposals
        if proposal.subscribed_kva is not None
    }


async def preview(
    source: SeriesReader,
    naming: Naming,
    question: DataRequest,
    choice: Choice,
    *,
    days: int,
) -> list[Preview]:
    """Return the records of the last days that a choice would disclose.

    Raises NotNarrower and `Unsayable` where it cannot be granted, `SourceFault`.
    """
    seen = sight(naming, question, choice, days)
    records: dict[Series, list[Record]] = {series: [] for series in seen.names.values()}
    async for chunk in source.catch_up(records, seen.within):
        for reading in chunk.readings:
            records[reading.block.series] += reading.block.records(seen.within)
    return seen.previews(records)


async def reasons(source: SeriesReader, series: Series, days: Range) -> set[Flag]:
    """Return why data of some days are missing. Raises `SourceFault`."""
    return await source.flags(series, days) & {Flag.AWAY, Flag.ABSURD, Flag.BACKWARDS}


async def directions(connection: AsyncConnection) -> Mapping[str, Direction]:
    """Return the directions that a person stated or corrected, by statistic."""
    stored = await settings_like(connection, _PREFIX)
    return {key.removeprefix(_PREFIX): Direction(direction) for key, direction in stored.items()}


async def set_direction(
    connection: AsyncConnection, statistic: str, direction: Direction | None
) -> None:
    """Store a direction that a person stated; None leaves it to the source."""
    await set_setting(connection, f"{_PREFIX}{statistic}", direction)
