"""What a collective asks for in these tests, and members who answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from consometers_node.collective.members.members import Member, Members
from consometers_node.collective.permissions import needs
from consometers_node.collective.permissions.member_permissions import (
    MemberPermission,
    of_member,
    take,
)
from consometers_node.permission import DataNeed, Identification
from consometers_node.series import Range
from consometers_node.store import Store
from consometers_node.store.engine.connection import AsyncConnection
from consometers_quoalise import Data, Direction, Identifier, Permission, iso8601
from consometers_quoalise.records.identifier import organisation, series
from testing.homes.data_needs import NEED

BY_NAME = replace(NEED, id="by-name", identification=Identification.NAME, history_days=365)
ZONE = ZoneInfo("Europe/Paris")
OWN = organisation("kersabiec")
AT = datetime(2026, 6, 10, 12, tzinfo=UTC)


@asynccontextmanager
async def changing(store: Store) -> AsyncIterator[tuple[AsyncConnection, Members]]:
    async with store.writing() as connection:
        yield connection, Members(connection, ZONE)


def meter(name: str, direction: Direction = Direction.CONSUMPTION) -> Identifier:
    return series(organisation(name), direction)


def permission(
    *names: Identifier, id: str = "p1", need: DataNeed = NEED, at: datetime = AT, **other: object
) -> Permission:
    """Return a permission for all that is asked, except where arguments say otherwise."""
    usual = Permission(
        id=id,
        need=need.id,
        version=need.version,
        series=names or (meter("a"),),
        interval=iso8601.duration(need.interval),
        records_from=at - timedelta(days=need.history_days),
        valid_from=at,
        valid_until=at + timedelta(days=need.duration_days),
        shown_sha256=64 * "a",
        shown_language="fr",
        identification=need.identification,
    )
    return replace(usual, **other)  # type: ignore[arg-type]


async def join(
    connection: AsyncConnection, name: str, given: Permission | None = None, at: datetime = AT
) -> tuple[Member, MemberPermission]:
    """Admit a home that grants what is asked, by the name of its meter."""
    members = Members(connection, ZONE)
    await needs.offer(connection, NEED, at)
    member = await members.admit(f"{name}@example.org", at)
    given = given or permission(meter(name), id=name, at=at)
    return member, await take(members, member.id, given, at, own=OWN)


async def let_be_named(
    connection: AsyncConnection, member: Member, at: datetime = AT, **other: object
) -> MemberPermission:
    """Grant to be shown by name, with all that the member granted before."""
    (before, *_) = await of_member(connection, member.id)
    await needs.offer(connection, BY_NAME, at)
    terms = {"records_from": before.records_from} | other
    given = permission(*before.series, id=f"{before.id} by name", need=BY_NAME, at=at, **terms)
    return await take(Members(connection, ZONE), member.id, given, at, own=OWN)


class EmptyMember:
    """A member without records, and the ranges requested of it."""

    def __init__(self) -> None:
        self.requested: list[Range] = []

    async def subscribe(self, peer: str, name: Identifier) -> None:
        pass

    async def history(
        self, peer: str, name: Identifier, start: datetime, end: datetime
    ) -> AsyncIterator[Data]:
        self.requested.append(Range(start, end))
        for page in list[Data]():
            yield page


MIDNIGHT = datetime(2026, 6, 11, tzinfo=UTC)
