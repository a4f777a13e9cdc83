"""Rows of a recorder and messages of peers, as tests of this room need them."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from consometers_node.household.statistics import StatisticsRow
from consometers_quoalise import Data, Duration, Measurement, Metadata, Number, Records
from testing.home_assistant.toy import ms

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def no_rest(_: float) -> None:
    await asyncio.sleep(0)


def rows(start: datetime, count: int, *, wh: int = 100, step: timedelta = HOUR) -> list[Any]:
    """Return rows of a steady home as the recorder sends them, with the one before them."""
    return [
        {"start": ms(start + n * step), "end": 0, "sum": (n + 1) * wh, "state": n * wh}
        for n in range(-1, count)
    ]


def energy_rows(
    start: datetime, sums: Iterable[float | None], step: timedelta = HOUR
) -> list[StatisticsRow]:
    """Return rows that follow one another; None is a hole."""
    return [
        StatisticsRow(start=start + n * step, sum=total, state=total)
        for n, total in enumerate(sums)
        if total is not None
    ]


def means(
    start: datetime, powers: Iterable[float | None], step: timedelta = HOUR
) -> list[StatisticsRow]:
    return [
        StatisticsRow(start=start + n * step, mean=power)
        for n, power in enumerate(powers)
        if power is not None
    ]


def seconds(values: Mapping[datetime, Number]) -> dict[Number, Number]:
    return {int(at.timestamp()): value for at, value in values.items()}


def measured(
    name: object,
    values: Mapping[datetime, Number],
    unit: str | None = "W",
    interval: Duration | None = None,
) -> Data:
    """Return a message with records of one series."""
    metadata = Metadata(measurement=Measurement(sampling_interval=interval))
    return Data(metadata, (Records(str(name), unit, seconds(values)),))
