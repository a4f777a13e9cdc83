"""The members of the measures of a collective: homes that tell what they draw, by the hour."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import batched
from random import Random
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from consometers_node.collective import given, needs
from consometers_node.collective.members import Members
from consometers_node.permission import DataNeed, Wanted
from consometers_node.quoalise import (
    Data,
    Direction,
    Duration,
    Identification,
    Identifier,
    Number,
    Permission,
    Records,
    describe,
)
from consometers_node.quoalise.identifier import organisation, series
from consometers_node.series import Direction as Way, Interval, Quantity
from consometers_node.store import Store
from consometers_node.store.collective_tables import (
    GivenRegisterRow,
    GivenRow,
    GivenSeriesRow,
    InGroupRow,
    MemberRow,
)
from consometers_node.store.tables import Base

from .members import jid

ZONE = ZoneInfo("Europe/Paris")
COLLECTIVE = "bench"
HOURS = 24
MOST_W = 6_000

_AREAS = ("Gâvres", "Kersabiec", "Locmiquélic", "Port-Louis", "Riantec")
_AT_ONCE = 1_000
_OWN = organisation(COLLECTIVE)
_YEAR_DAYS = 365


def day_of(number: int, midnights: Sequence[datetime], random: Random, *, least_w: int = 0) -> Data:
    """Give what a home tells of the days that begin then, UTC."""
    values: dict[Number, Number] = {}
    for midnight in midnights:
        begin = int(midnight.timestamp())
        values |= {begin + hour * 3600: least_w + random.randrange(MOST_W) for hour in range(HOURS)}
    name = _name(number)
    return Data(describe(name, Duration(seconds=3600)), (Records(str(name), "W", values),))


async def join(store: Store, homes: int, history_days: int) -> None:
    """Let homes have granted what they draw, and have been asked for so much of its past.

    One by one takes 30 ms each. So each area's first is let in, and all others have its rows.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    need = DataNeed(
        id="bench",
        version=1,
        title={"en": "Bench"},
        purpose={"en": "To see how fast they come."},
        recipients={},
        controller="Bench",
        contact="bench@one.test",
        policy="https://one.test/policy",
        wanted=frozenset({Wanted(Way.CONSUMPTION, Quantity.POWER)}),
        interval=Interval.PT1H,
        history_days=history_days,
        duration_days=_YEAR_DAYS,
        retention_days=90,
    )
    async with store.writing() as connection:
        await needs.offer(connection, need, now)
        register = Members(connection, ZONE)
        for number, area in enumerate(_AREAS[:homes]):
            member = await register.admit(jid(number), now, area=area)
            said = _permission(number, need, now)
            await given.take(register, member.id, said, now, own=_OWN)
        for model in range(min(len(_AREAS), homes - len(_AREAS))):
            await _repeat(connection, model, range(model + len(_AREAS), homes, len(_AREAS)))
        asked = update(GivenSeriesRow).values(subscribed_at=now, asked_until=now)
        await connection.execute(asked)


async def _repeat(connection: AsyncConnection, model: int, homes: Sequence[int]) -> None:
    """Let homes have all rows that one has, by their own names."""
    at = {"given_id": f"p{model}"}
    await _copy(
        connection,
        MemberRow,
        {"jid": jid(model)},
        [{"jid": jid(home), "pseudonym": f"m{home}"} for home in homes],
    )
    numbered = select(MemberRow.jid, MemberRow.id)
    ids = dict((await connection.execute(numbered)).tuples().all())
    own = [{"member_id": ids[jid(home)]} for home in homes]
    await _copy(connection, InGroupRow, {"member_id": ids[jid(model)]}, own)
    given = [{"id": f"p{home}", **one} for home, one in zip(homes, own, strict=True)]
    await _copy(connection, GivenRow, {"id": f"p{model}"}, given)
    named = [{"given_id": f"p{home}", "identifier": str(_name(home))} for home in homes]
    await _copy(connection, GivenSeriesRow, at, named)
    await _copy(connection, GivenRegisterRow, at, [{"given_id": f"p{home}"} for home in homes])


async def _copy(
    connection: AsyncConnection,
    of: type[Base],
    those: Mapping[str, object],
    own: Sequence[Mapping[str, object]],
) -> None:
    """Add those rows again and again, each time with other values; what is numbered goes on."""
    table = cast("Table", of.__table__)
    number = table.autoincrement_column
    for row in (await connection.execute(select(table).filter_by(**those))).mappings().all():
        kept = {column.name: row[column] for column in table.c if column is not number}
        for some in batched(own, _AT_ONCE, strict=False):
            await connection.execute(insert(table), [{**kept, **one} for one in some])


def _name(number: int) -> Identifier:
    return series(organisation(f"m{number}"), Direction.CONSUMPTION)


def _permission(number: int, need: DataNeed, now: datetime) -> Permission:
    return Permission(
        id=f"p{number}",
        need=need.id,
        version=need.version,
        series=(_name(number),),
        interval=Duration(seconds=3600),
        records_from=now - timedelta(days=need.history_days),
        valid_from=now,
        valid_until=now + timedelta(days=need.duration_days),
        shown_sha256=64 * "0",
        shown_language="en",
        identification=Identification.PSEUDONYM,
    )
