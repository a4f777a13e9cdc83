"""Members that read the published sums, each under a permission as any other peer.

A member is a peer by its pseudonym, so that its address stands in one place alone. Its permission
to read begins with the first one that it grants, and ends in the transaction in which it leaves.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import exists, func, not_, or_, select

from consometers_node.i18n.text import text
from consometers_node.permission import (
    Choice,
    DataNeed,
    DataNeedSeries,
    Identification,
    Permissions,
    ShownText,
    Signature,
    State,
)
from consometers_node.series import Device, Direction, Interval, Quantity, Series
from consometers_node.sharing.names import COLLECTIVE
from consometers_node.store import PeerId, PermissionId
from consometers_node.store.collective.groups import GroupKind, all_groups
from consometers_node.store.collective.published_series import devices, own_series
from consometers_node.store.collective.tables import MemberPermissionRow, MemberRow
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.peers import MEMBER, Peer, add_peer, peer_by_jid
from consometers_node.store.series import series_id
from consometers_node.store.settings import setting
from consometers_node.store.tables import PeerRow, PermissionRow, PermissionSeriesRow
from consometers_quoalise import DEFAULT_LANGUAGE, Device as Name

from .shares import Plant, all_plants

NEED = "members"
PLANTS = "plants"
"""Data needs of members, each with its permission: a new plant does not interrupt sums."""

_DAYS = 18_000
"""It ends when the member leaves, and not before."""
_WHO = "publication.members"
_TITLES = {NEED: text("Totals of all members"), PLANTS: text("Production of shared panels")}
_PURPOSES = {
    NEED: text(
        "Members can read the sums that this collective publishes, with the number of members in"
        " each, as long as they share with it."
    ),
    PLANTS: text(
        "Members can read the published production of the panels that have shares, as long as"
        " they share with this collective."
    ),
}


@dataclass(frozen=True, slots=True)
class Subscribers:
    """The members of this collective that read its sums, if the settings allow it."""

    name: Name
    time_zone: str
    allowed: bool = True

    async def grant(
        self, connection: AsyncConnection, pseudonym: str, interval: Interval, at: datetime
    ) -> None:
        """Grant a member the sums of an interval and of days, and the plants' production."""
        if not self.allowed:
            return
        peer = await add_peer(connection, MEMBER + pseudonym, pseudonym, at)
        permissions = Permissions(connection)
        for need, series in (await self._readable(connection, interval)).items():
            if not series:
                continue
            permission_id = await permissions.propose(peer.id, self._need(need), at, _WHO)
            if (await permissions.get(permission_id)).state is State.GRANTED:
                continue
            choice = Choice(series=series, identification=Identification.PSEUDONYM)
            shown = ShownText(DEFAULT_LANGUAGE, _PURPOSES[need].say(DEFAULT_LANGUAGE))
            await permissions.grant(permission_id, choice, Signature(_WHO, shown), at)

    async def update(
        self, connection: AsyncConnection, interval: Interval, at: datetime, most: int
    ) -> int:
        """Grant read access to exactly the current members, some at a time; return how many."""
        outdated, without = await self._due(connection, interval, most)
        for permission_id in outdated:
            await Permissions(connection).terminate(permission_id, at)
        for pseudonym in without:
            await self.grant(connection, pseudonym, interval, at)
        return len(outdated) + len(without)

    async def are_current(self, connection: AsyncConnection, interval: Interval) -> bool:
        """Return whether exactly the current members have read access."""
        return not any(await self._due(connection, interval, 1))

    async def _due(
        self, connection: AsyncConnection, interval: Interval, most: int
    ) -> tuple[list[PermissionId], list[str]]:
        """Return the permissions to end, and the members to grant one."""
        outdated: list[PermissionId] = []
        without: list[str] = []
        for need, series in (await self._readable(connection, interval)).items():
            left = most - len(outdated) - len(without)
            outdated += await self._outdated(connection, need, series, left)
            if self.allowed and series:
                left = most - len(outdated) - len(without)
                without += await _without(connection, need, left)
        return outdated, without

    def _need(self, need: str) -> DataNeed:
        # Nothing in it ever changes, for a data need is written once.
        return DataNeed(
            id=need,
            version=1,
            title=dict(_TITLES[need].by_language),
            purpose=dict(_PURPOSES[need].by_language),
            recipients={},
            controller=str(self.name),
            contact=str(self.name),
            policy=str(self.name),
            series=frozenset(
                DataNeedSeries(way, quantity) for way in Direction for quantity in Quantity
            ),
            interval=Interval.PT5M,
            history_days=_DAYS,
            duration_days=_DAYS,
            retention_days=_DAYS,
        )

    async def _readable(
        self, connection: AsyncConnection, interval: Interval
    ) -> Mapping[str, frozenset[Series]]:
        """Return the series that members may read, by the id of the data need."""
        sums = [(Device(str(self.name)), direction) for direction in Direction]
        made = [(device, Direction.PRODUCTION) for device in await plant_devices(connection)]
        return {
            need: frozenset(
                own_series(device, direction, step, self.time_zone)
                for device, direction in readable
                for step in (interval, Interval.P1D)
            )
            for need, readable in ((NEED, sums), (PLANTS, made))
        }

    async def _outdated(
        self, connection: AsyncConnection, need: str, series: Collection[Series], most: int
    ) -> list[PermissionId]:
        """Return permissions of former members, or to read other series than these."""
        query = (
            select(PermissionRow.id)
            .join(PeerRow, PeerRow.id == PermissionRow.peer_id)
            .where(PermissionRow.need == need, PermissionRow.state == State.GRANTED)
            .where(PeerRow.jid.startswith(MEMBER))
        )
        if self.allowed and series:
            ids = [await series_id(connection, each) for each in series]
            named = PermissionSeriesRow.permission_id == PermissionRow.id
            reads = [
                select(func.count()).where(named, *those).scalar_subquery() == len(ids)
                for those in ((), (PermissionSeriesRow.series_id.in_(ids),))
            ]
            is_present = exists().where(MemberRow.pseudonym == _PSEUDONYM, *_PRESENT)
            query = query.where(or_(*map(not_, reads), ~is_present))
        return list((await connection.execute(query.limit(most))).scalars())


async def plant_devices(connection: AsyncConnection) -> Mapping[Device, Plant]:
    """Return the plants of this collective by the names of their published series."""
    collective = await setting(connection, COLLECTIVE)
    plants = {plant.name: plant for plant in await all_plants(connection)}
    if collective is None or not plants:
        return {}
    groups = await all_groups(connection)
    named = devices(collective, groups)
    return {
        named[group.id]: plants[group.name]
        for group in groups
        if group.kind is GroupKind.SITE and group.name in plants
    }


async def end(connection: AsyncConnection, pseudonym: str) -> None:
    """Revoke a member's read access, and drop what is on its way to it."""
    peer = await peer_by_jid(connection, MEMBER + pseudonym)
    permissions = Permissions(connection)
    for permission in await permissions.all(peer.id) if peer else ():
        if permission.state is State.GRANTED:
            await permissions.terminate(permission.id, datetime.now(UTC))


async def member_peer(connection: AsyncConnection, jid: str) -> Peer | None:
    """Return the peer for the member with an address."""
    query = select(MemberRow.pseudonym).where(MemberRow.jid == jid)
    pseudonym = (await connection.execute(query)).scalar_one_or_none()
    return None if pseudonym is None else await peer_by_jid(connection, MEMBER + pseudonym)


async def addresses(connection: AsyncConnection, peers: Collection[PeerId]) -> dict[PeerId, str]:
    """Return the addresses of members, by their peers."""
    query = (
        select(PeerRow.id, MemberRow.jid)
        .join(MemberRow, MemberRow.pseudonym == _PSEUDONYM)
        .where(MemberRow.jid.is_not(None), PeerRow.id.in_(peers))
    )
    return {peer: jid for peer, jid in await connection.execute(query) if jid is not None}


async def _without(connection: AsyncConnection, need: str, most: int) -> list[str]:
    """Return the pseudonyms of members that share, and do not read their sums."""
    reads = (
        exists()
        .where(PermissionRow.peer_id == PeerRow.id)
        .where(PermissionRow.need == need, PermissionRow.state == State.GRANTED)
        .where(PeerRow.jid == MEMBER + MemberRow.pseudonym)
    )
    query = select(MemberRow.pseudonym).where(*_PRESENT, ~reads).order_by(MemberRow.id)
    return list((await connection.execute(query.limit(most))).scalars())


_PSEUDONYM = func.substr(PeerRow.jid, len(MEMBER) + 1)
"""Matches a peer that is a member, in a form that lets the database use its index."""
_PRESENT = (
    MemberRow.jid.is_not(None),
    MemberRow.left_at.is_(None),
    exists().where(
        MemberPermissionRow.member_id == MemberRow.id, MemberPermissionRow.state == State.GRANTED
    ),
)
