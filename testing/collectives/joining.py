"""A home that joins a collective over the network."""

import asyncio
from collections.abc import Iterator
from datetime import datetime

from consometers_quoalise_network.address import account_of
from testing.collectives.running import Coop
from testing.homes.data_needs import NEED, now
from testing.homes.ledgers import HOUR, midnight
from testing.homes.running import RunningHome, decisions_confirmed
from testing.run import DEADLINE_S

PAST = midnight(-3)
"""The home's records begin here."""
KNOWN_UNTIL = now().replace(minute=0, second=0) - 3 * HOUR
"""Those after it come while the collective listens."""


def jid(house: RunningHome) -> str:
    return account_of(house.connection.jid)


async def wait_for_records(coop: Coop, wanted: dict[datetime, int]) -> None:
    """Wait until the collective has exactly that."""
    days = sorted({start.date() for start in wanted})
    values: dict[datetime, int] = {}
    try:
        async with asyncio.timeout(DEADLINE_S):
            while (values := await coop.values(days)) != wanted:
                await asyncio.sleep(0.05)
    except TimeoutError:
        missing = {at: n for at, n in wanted.items() if values.get(at) != n}
        extra = {at: n for at, n in values.items() if at not in wanted}
        raise AssertionError(f"missing {missing}, too much {extra}") from None


async def join(coop: Coop, house: RunningHome) -> dict[datetime, int]:
    """Join as a home with some past, and grant what it has."""
    past = dict(numbered_hours(PAST, KNOWN_UNTIL))
    await house.ledger.cover(PAST, midnight(1))
    await house.keep(dict(past))
    token = await coop.invite()
    (need,) = await house.sharing.asking.get_data_needs(coop.jid, token)
    assert need.id == NEED.id
    await house.grant()
    await decisions_confirmed(house)
    return past


def numbered_hours(start: datetime, end: datetime) -> Iterator[tuple[datetime, int]]:
    """Yield each hour, and how many there were before it."""
    for n in range(round((end - start) / HOUR)):
        yield start + n * HOUR, n
