"""The members of a collective's benchmarks: homes that report their consumption by the hour."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import batched
from random import Random
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, insert, select, update

from consometers_node.collective.members.members import Members
from consometers_node.collective.permissions import member_permissions, needs
from consometers_node.permission import DataNeed, DataNeedSeries
from consometers_node.series import Block, Device, Interval, Quantity, Series
from consometers_node.store import SeriesId, Store
from consometers_node.store.collective.memberships import series_of
from consometers_node.store.collective.tables import (
    DeviceClaimRow,
    GroupMembershipRow,
    MemberPermissionRegisterRow,
    MemberPermissionRow,
    MemberPermissionSeriesRow,
    MemberRow,
)
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import Base
from consometers_node.store.series import put_blocks
from consometers_node.store.tables import SeriesRow
from consometers_quoalise import (
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
from consometers_quoalise.records.identifier import organisation, series

from .members import jid

ZONE = ZoneInfo("Europe/Paris")
COLLECTIVE = "bench"
HOURS = 24
MOST_W = 6_000

AREAS = ("Gâvres", "Kersabiec", "Locmiquélic", "Port-Louis", "Riantec")
_AT_ONCE = 1_000
_BLOCKS_AT_ONCE = 10_000
_DIFFERENT = 100
_OWN = organisation(COLLECTIVE)
_YEAR_DAYS = 365


def day_of(home: int, midnights: Sequence[datetime], random: Random, *, least_w: int = 0) -> Data:
    """Return a home's records of the days that begin then, UTC."""
    values: dict[Number, Number] = {}
    for midnight in midnights:
        begin = int(midnight.timestamp())
        values |= {begin + hour * 3600: least_w + random.randrange(MOST_W) for hour in range(HOURS)}
    named = name(home)
    return Data(describe(named, Duration(seconds=3600)), (Records(str(named), "W", values),))


def today() -> datetime:
    """Return the beginning of this day, UTC."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


async def join(
    store: Store,
    homes: int,
    history_days: int,
    *,
    areas: Sequence[str] = AREAS,
    ways: Sequence[Direction] = (Direction.CONSUMPTION,),
) -> None:
    """Grant these directions as homes, which have been asked for so much of their past.

    One by one takes 30 ms each. So each area's first is let in, and all others have its rows.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    need = need_of(history_days, ways)
    async with store.writing() as connection:
        await needs.offer(connection, need, now)
        register = Members(connection, ZONE)
        for home, area in enumerate(areas[:homes]):
            member = await register.admit(jid(home), now, area=area)
            answer = permission(f"p{home}", [name(home, way) for way in ways], need, now)
            await member_permissions.take(register, member.id, answer, now, own=_OWN)
        for model in range(min(len(areas), homes - len(areas))):
            others = range(model + len(areas), homes, len(areas))
            await _repeat(connection, model, others, ways)
        await ask_for_no_past(connection, now)


async def ask_for_no_past(connection: AsyncConnection, now: datetime) -> None:
    """Mark all series as subscribed, and their past as asked for."""
    asked = update(MemberPermissionSeriesRow).values(subscribed_at=now, backfilled_until=now)
    await connection.execute(asked)


async def keep_days(
    store: Store, homes: Iterable[int], days: Sequence[date], way: Direction = Direction.CONSUMPTION
) -> None:
    """Store whole UTC days of homes, at once: of each home one is one of a hundred."""
    random = Random(1)
    some = [tuple(random.randrange(MOST_W) for _ in range(HOURS)) for _ in range(_DIFFERENT)]
    at = datetime.now(UTC)
    async with store.writing() as connection:
        home_series = await _series(connection, homes, way)
        blocks = (
            (series_id, Block(series, day, some[(home + place) % _DIFFERENT]))
            for home, (series_id, series) in home_series.items()
            for place, day in enumerate(days)
        )
        for part in batched(blocks, _BLOCKS_AT_ONCE, strict=False):
            batch: dict[SeriesId, list[Block]] = {}
            for series_id, block in part:
                batch.setdefault(series_id, []).append(block)
            await put_blocks(connection, batch, at)


def need_of(
    history_days: int, ways: Iterable[Direction], quantity: Quantity = Quantity.POWER
) -> DataNeed:
    """Return what members are asked for."""
    return DataNeed(
        id="bench",
        version=1,
        title={"en": "Bench"},
        purpose={"en": "To see how fast they come."},
        recipients={},
        controller="Bench",
        contact="bench@one.test",
        policy="https://one.test/policy",
        series=frozenset(DataNeedSeries(way, quantity) for way in ways),
        interval=Interval.PT1H,
        history_days=history_days,
        duration_days=_YEAR_DAYS,
        retention_days=90,
    )


def permission(
    permission_id: str, names: Iterable[Identifier], need: DataNeed, now: datetime
) -> Permission:
    """Return what a member answers to that."""
    return Permission(
        id=permission_id,
        need=need.id,
        version=need.version,
        series=tuple(names),
        interval=Duration(seconds=3600),
        records_from=now - timedelta(days=need.history_days),
        valid_from=now,
        valid_until=now + timedelta(days=need.duration_days),
        shown_sha256=64 * "0",
        shown_language="en",
        identification=Identification.PSEUDONYM,
    )


def name(home: int, way: Direction = Direction.CONSUMPTION) -> Identifier:
    """Return the name under which a home shares a direction: panels are a device of their own."""
    device = organisation(f"m{home}.panels" if way is Direction.PRODUCTION else f"m{home}")
    consumes = way is Direction.CONSUMPTION
    return series(device, Direction.CONSUMPTION if consumes else Direction.PRODUCTION)


async def _repeat(
    connection: AsyncConnection, model: int, homes: Sequence[int], ways: Sequence[Direction]
) -> None:
    """Copy all rows of one home for the others, by their own names."""
    at = {"permission_id": f"p{model}"}
    await _copy(
        connection,
        MemberRow,
        {"jid": jid(model)},
        [{"jid": jid(home), "pseudonym": f"m{home}"} for home in homes],
    )
    numbered = select(MemberRow.jid, MemberRow.id)
    ids = dict((await connection.execute(numbered)).tuples().all())
    own = [{"member_id": ids[jid(home)]} for home in homes]
    await _copy(connection, GroupMembershipRow, {"member_id": ids[jid(model)]}, own)
    member_permissions = [{"id": f"p{home}", **row} for home, row in zip(homes, own, strict=True)]
    await _copy(connection, MemberPermissionRow, {"id": f"p{model}"}, member_permissions)
    for way in ways:
        named = [
            {"permission_id": f"p{home}", "identifier": str(name(home, way))} for home in homes
        ]
        await _copy(
            connection,
            MemberPermissionSeriesRow,
            {**at, "identifier": str(name(model, way))},
            named,
        )
    for device in {name(model, way).device for way in ways}:
        claims = [
            {"device": str(device).replace(f"m{model}", f"m{home}"), **row}
            for home, row in zip(homes, own, strict=True)
        ]
        await _copy(connection, DeviceClaimRow, {"device": str(device)}, claims)
    await _copy(
        connection,
        MemberPermissionRegisterRow,
        at,
        [{"permission_id": f"p{home}"} for home in homes],
    )


async def _series(
    connection: AsyncConnection, homes: Iterable[int], way: Direction
) -> dict[int, tuple[SeriesId, Series]]:
    """Return the series of homes in a direction, made where there are none."""
    row = MemberPermissionSeriesRow
    query = select(row.identifier, MemberPermissionRow.member_id).join(
        MemberPermissionRow, MemberPermissionRow.id == row.permission_id
    )
    members = dict((await connection.execute(query)).tuples().all())
    names = {home: name(home, way) for home in homes}
    numbered = select(SeriesRow.device, SeriesRow.id).where(SeriesRow.direction == way)
    stored = dict((await connection.execute(numbered)).tuples().all())
    new = [identifier for identifier in names.values() if str(identifier.device) not in stored]
    made = [
        {
            "device": str(identifier.device),
            "direction": way,
            "quantity": Quantity.POWER,
            "interval_minutes": Interval.PT1H,
            "time_zone": ZONE.key,
            "member_id": members[str(identifier)],
        }
        for identifier in new
    ]
    for some in batched(made, _AT_ONCE, strict=False):
        await connection.execute(insert(SeriesRow.__table__), list(some))
    series_ids = dict((await connection.execute(numbered)).tuples().all())
    learn = (
        update(row.__table__)
        .where(row.identifier == bindparam("name"))
        .values(series_id=bindparam("new_id"))
    )
    named = [
        {"name": str(identifier), "new_id": series_ids[Device(str(identifier.device))]}
        for identifier in new
    ]
    for some in batched(named, _AT_ONCE, strict=False):
        await connection.execute(learn, list(some))
    series = await series_of(connection, series_ids.values())
    return {
        home: (series_id, series[series_id])
        for home, identifier in names.items()
        for series_id in [series_ids[Device(str(identifier.device))]]
    }


async def _copy(
    connection: AsyncConnection,
    mapped: type[Base],
    those: Mapping[str, object],
    own: Sequence[Mapping[str, object]],
) -> None:
    """Add those rows again and again, each time with other values; what is numbered goes on."""
    table = mapped.__table__
    own_id = table.autoincrement_column
    for row in (await connection.execute(select(table).filter_by(**those))).mappings().all():
        values = {column.name: row[column] for column in table.c if column is not own_id}
        for some in batched(own, _AT_ONCE, strict=False):
            await connection.execute(insert(table), [{**values, **changed} for changed in some])
