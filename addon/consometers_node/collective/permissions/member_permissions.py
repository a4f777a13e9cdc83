"""The permissions of members: what this collective may read of each, and until when.

A permission that goes beyond the data need is refused. Every change is an entry of a register that
only grows, and outlives the records: it names permissions, and nobody.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
import json
from operator import attrgetter

from sqlalchemy import ColumnElement, case, exists, func, insert, literal, select, update

from consometers_node.collective.errors import CollectiveFault, NotFound
from consometers_node.collective.members.members import MemberKind, Members
from consometers_node.i18n.text import text
from consometers_node.permission import DataNeed, Identification, State
from consometers_node.series import Direction, Interval
from consometers_node.store.clock import Confirmed
from consometers_node.store.collective.claims import add_claims
from consometers_node.store.collective.member_series import update_series
from consometers_node.store.collective.shown import shown_from
from consometers_node.store.collective.tables import (
    MemberId,
    MemberPermissionId,
    MemberPermissionRegisterRow,
    MemberPermissionRow,
    MemberPermissionSeriesRow,
    MemberRow,
)
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import columns_of
from consometers_node.store.engine.types import Instant
from consometers_node.store.settings import set_setting, setting
from consometers_node.wire.needs import read_interval
from consometers_quoalise import Device, Identifier, NotAuthorized, Permission, SeriesPath
from consometers_quoalise.records.identifier import ENTERPRISE, identifier

from .needs import granted, offered

MAX_SERIES = 50
"""Of one permission: a home has a few."""

MAX_EARLY = 32
"""Withdrawals of one member that came before their grants."""
_EARLY = "withdrawn before it came."
"""Prefix of a setting, by member: the permissions that it withdrew before they came."""
_SKEW = timedelta(days=1)
"""Clocks differ, but not by that."""
_SAME = attrgetter("valid_from", "valid_until", "records_from", "shown_sha256")
"""The terms that a permission keeps when it is sent again."""
_RECEIVED = (
    *("id", "need", "version", "identification", "reading", "records_from", "valid_from"),
    *("valid_until", "shown_sha256", "shown_language"),
)
"""The columns that are stored as they were received."""
_PATHS = (SeriesPath.POWER, SeriesPath.ENERGY_DAILY)
WIRE_DIRECTIONS = {direction: {direction, direction.in_names} for direction in Direction}
"""The directions in names of series, a collective's and a home's, by direction of the home."""

_OUTDATED = text(
    "This data request is not the present one: fetch the present one, and answer that."
)
_WIDER = text(
    "The permission allows more than requested ({field}): it was rejected and nothing was saved."
)
_OVER = text("The permission has already expired.")
_OURS = text(
    "One of these names belongs to this collective or to a group of its members: nothing was"
    " saved. A member collective needs its own identifier."
)
_FORESTALLED = text(
    "You withdrew this permission before it arrived: nothing was saved. Allow a new one to share."
)
_OTHER = text("Another permission already has that number: nothing was changed.")
_UNKNOWN = text("There is no such permission.")


GRACE = timedelta(hours=24)
"""How long administrators see expired records before they are erased."""

_has_series = (
    exists()
    .where(MemberPermissionSeriesRow.permission_id == MemberPermissionRow.id)
    .correlate(MemberPermissionRow)
)
_is_asked_for = MemberPermissionRow.erase_at <= MemberPermissionRow.announced_at
_is_announced = MemberPermissionRow.erase_at > MemberPermissionRow.announced_at
"""Records whose time is over are erased some time after they were announced."""


class NotRequested(CollectiveFault):
    """A permission goes beyond the data need, or answers a closed one."""

    condition = "not-asked"


class NotYours(CollectiveFault):
    """A permission names a device that another member already shares."""

    condition = "not-yours"
    refusal = NotAuthorized


class PermissionActor(StrEnum):
    """The actor of a change."""

    MEMBER = "member"
    COLLECTIVE = "collective"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberPermission:
    """A permission that a member granted. `series` is empty once its records were erased.

    `subscribed_kva` is the subscribed power of the meters of these, of those that the member says.

    Records of `records_from <= t < valid_until` may be read, while it stands. `erase_at` is when
    they are erased, once it has ended, and `announced_at` since when that is certain: see `due`.
    `notified_at` is when its member knew of the end.
    """

    id: MemberPermissionId
    member: MemberId
    need: DataNeed
    state: State
    interval: Interval
    identification: Identification
    records_from: datetime
    valid_from: datetime
    valid_until: datetime
    shown_sha256: str
    shown_language: str
    erase_at: datetime | None
    announced_at: datetime | None
    notified_at: datetime | None
    series: tuple[Identifier, ...]
    subscribed_kva: Mapping[Identifier, int]

    def stands(self, at: datetime) -> bool:
        """Return whether it allows to read records at an instant."""
        return self.state is State.GRANTED and self.valid_from - _SKEW <= at < self.valid_until


_COLUMNS = (
    *columns_of(
        MemberPermissionRow,
        MemberPermission,
        member=MemberPermissionRow.member_id,
        series=None,
        subscribed_kva=None,
    ),
    MemberPermissionRow.version,
)


@dataclass(frozen=True, slots=True)
class PermissionChange:
    """One change in the register; `erased` counts records."""

    seq: int
    permission: MemberPermissionId
    state: State
    at: datetime
    actor: PermissionActor
    text_hash: str | None
    erased: int | None


_REGISTER = select(
    *columns_of(
        MemberPermissionRegisterRow,
        PermissionChange,
        permission=MemberPermissionRegisterRow.permission_id,
    )
).order_by(MemberPermissionRegisterRow.seq)


async def take(
    members: Members, member: MemberId, received: Permission, at: datetime, *, own: Device
) -> MemberPermission:
    """Store a permission: it stands from now on, in place of one for an older version.

    One that came before is returned as it stands, with the subscribed powers that come this time.
    No member shares under the name of this collective (`own`) or of its groups. Whether others
    share under the same names does not change the answer: see `claims`. Raises NotRequested,
    NotYours, Unsayable.
    """
    connection = members.connection
    for permission in await all_permissions(connection, MemberPermissionRow.id == received.id):
        if permission.member != member or not _is_same(permission, received):
            raise NotYours(_OTHER)
        await _note_subscribed(connection, permission, received)
        return await get(connection, permission.id)
    if received.id in await _forestalled(connection, member):
        raise NotRequested(_FORESTALLED)
    need = await _open_need(connection, received)
    _check(need, received, at)
    devices = {series.device for series in received.series}
    if any(device == own or str(device).startswith(f"{own}-") for device in devices):
        raise NotYours(_OURS)
    for older in await of_member(connection, member):
        if older.need.id == need.id and older.state is State.GRANTED:
            await _end(connection, older, State.TERMINATED, PermissionActor.MEMBER, at)
    row = {column: getattr(received, column) for column in _RECEIVED}
    interval = read_interval(received.interval)
    await connection.execute(
        insert(MemberPermissionRow).values(
            **row, member_id=member, state=State.GRANTED, interval_minutes=interval
        )
    )
    permission_id = MemberPermissionId(received.id)
    names = [
        {
            "permission_id": permission_id,
            "identifier": str(name),
            "subscribed_kva": received.subscribed_kva.get(name),
        }
        for name in received.series
    ]
    await connection.execute(insert(MemberPermissionSeriesRow), names)
    await add_claims(connection, member, {str(device) for device in devices}, at)
    text_hash = received.shown_sha256
    await note(
        connection, permission_id, State.GRANTED, PermissionActor.MEMBER, text_hash=text_hash
    )
    await members.count(member, received.records_from)
    await settle(members, member, at)
    return await get(connection, permission_id)


async def withdraw(
    members: Members, member: MemberId, id: str, at: datetime, *, erase: bool
) -> MemberPermission:
    """End a permission as its member wants it: its records are due to be erased, or kept.

    A member that first let them be kept may still have them erased. Raises NotFound.
    """
    withdrawn = await get(members.connection, MemberPermissionId(id))
    if withdrawn.member != member:
        raise NotFound(_UNKNOWN)
    if withdrawn.state is State.GRANTED:
        await _end(members.connection, withdrawn, State.WITHDRAWN, PermissionActor.MEMBER, at)
    if erase:
        for permission in await of_member(members.connection, member):
            # The records of an older version go with it.
            if permission.need.id == withdrawn.need.id and permission.state is not State.GRANTED:
                await erase_at_once(members.connection, permission.id, at)
    await settle(members, member, at)
    return await get(members.connection, withdrawn.id)


async def forestall(connection: AsyncConnection, member: MemberId, id: str) -> None:
    """Store that a member withdrew a permission that has not come: it is refused if it comes.

    A server on the way may deliver a grant after its withdrawal. The last `MAX_EARLY` are known.
    """
    early = [other for other in await _forestalled(connection, member) if other != id]
    await set_setting(connection, f"{_EARLY}{member}", json.dumps([*early, id][-MAX_EARLY:]))


async def terminate(members: Members, id: MemberPermissionId, at: datetime) -> MemberPermission:
    """End a permission in the collective's name; its member is to be notified. Raises NotFound."""
    permission = await get(members.connection, id)
    if permission.state is State.GRANTED:
        await _end(members.connection, permission, State.TERMINATED, PermissionActor.COLLECTIVE, at)
        await settle(members, permission.member, at)
    return await get(members.connection, id)


async def expire(members: Members, at: Confirmed) -> list[MemberPermission]:
    """End the permissions whose time is over, and return them."""
    over = MemberPermissionRow.state == State.GRANTED, MemberPermissionRow.valid_until <= at
    expired = await all_permissions(members.connection, *over)
    for permission in expired:
        until = permission.valid_until
        await _end(members.connection, permission, State.EXPIRED, PermissionActor.CLOCK, until)
        await settle(members, permission.member, at)
    return [await get(members.connection, permission.id) for permission in expired]


async def settle(members: Members, member_id: MemberId, at: datetime) -> None:
    """Hide a site whose permission by name has ended; end a membership without permissions."""
    member = await members.get(member_id)
    is_shown = member.kind is MemberKind.SITE and member.name is not None
    if is_shown and await shown_from(members.connection, member_id, at) is None:
        await members.hide(member_id)
    permissions = await of_member(members.connection, member_id)
    if all(permission.state is not State.GRANTED for permission in permissions):
        await members.leave(member_id, at)


async def get(connection: AsyncConnection, id: MemberPermissionId) -> MemberPermission:
    """Return a permission. Raises NotFound."""
    for permission in await all_permissions(connection, MemberPermissionRow.id == id):
        return permission
    raise NotFound(_UNKNOWN)


async def of_member(connection: AsyncConnection, member: MemberId) -> list[MemberPermission]:
    """Return all permissions that a member ever granted, the oldest first."""
    return await all_permissions(connection, MemberPermissionRow.member_id == member)


async def answers(connection: AsyncConnection) -> Counter[tuple[str, int, State]]:
    """Count permissions by data need, version and state."""
    kind = MemberPermissionRow.need, MemberPermissionRow.version, MemberPermissionRow.state
    rows = await connection.execute(select(*kind, func.count()).group_by(*kind))
    return Counter({(need, version, State(state)): count for need, version, state, count in rows})


async def answers_to(
    connection: AsyncConnection, need: str, version: int
) -> list[MemberPermission]:
    """Return all permissions that answer one version of a data need."""
    version_of = MemberPermissionRow.need == need, MemberPermissionRow.version == version
    return await all_permissions(connection, *version_of)


async def last_received_at(connection: AsyncConnection) -> dict[MemberId, datetime]:
    """Return when records of each member last came, of members that sent any."""
    query = (
        select(MemberPermissionRow.member_id, func.max(MemberPermissionSeriesRow.last_received_at))
        .join(MemberPermissionSeriesRow)
        .where(MemberPermissionSeriesRow.last_received_at.is_not(None))
        .group_by(MemberPermissionRow.member_id)
    )
    rows = await connection.execute(query)
    return {member: heard for member, heard in rows if heard is not None}


async def not_notified(connection: AsyncConnection) -> list[MemberPermission]:
    """Return ended permissions of which the member has an address, and no notice yet."""
    reachable = select(MemberRow.id).where(MemberRow.jid.is_not(None))
    ended = MemberPermissionRow.state != State.GRANTED, MemberPermissionRow.notified_at.is_(None)
    return await all_permissions(connection, *ended, MemberPermissionRow.member_id.in_(reachable))


async def note_notified(connection: AsyncConnection, id: MemberPermissionId, at: datetime) -> None:
    """Note that a member was notified of the end of its permission."""
    await connection.execute(
        update(MemberPermissionRow).where(MemberPermissionRow.id == id).values(notified_at=at)
    )


async def erase_at_once(connection: AsyncConnection, id: MemberPermissionId, at: datetime) -> None:
    """Make the records of a permission due for erasure, asked for at that instant."""
    others = MemberPermissionRow.announced_at.is_(None) | _is_announced
    asked = update(MemberPermissionRow).where(MemberPermissionRow.id == id, others)
    await connection.execute(asked.values(erase_at=at, announced_at=at))


async def announce(connection: AsyncConnection, now: Confirmed) -> None:
    """Announce to administrators, for `GRACE`, the expired records that are to be erased."""
    ends = MemberPermissionRow.state != State.GRANTED, MemberPermissionRow.erase_at <= now + GRACE
    soon = update(MemberPermissionRow).where(*ends, MemberPermissionRow.announced_at.is_(None))
    earliest = literal(now + GRACE, Instant)
    late = case(
        (MemberPermissionRow.erase_at < earliest, earliest), else_=MemberPermissionRow.erase_at
    )
    await connection.execute(soon.values(announced_at=now, erase_at=late))


async def announced(connection: AsyncConnection) -> list[MemberPermission]:
    """Return permissions whose expired records are about to be erased."""
    return await all_permissions(connection, _is_announced, _has_series)


async def due(connection: AsyncConnection, now: Confirmed | None) -> list[MemberPermission]:
    """Return ended permissions whose records are to be erased now.

    An erasure that somebody asked for is due at once, whatever the clock shows; the others once
    they were announced for long enough, by a clock that is confirmed.
    """
    is_due = _is_asked_for
    if now is not None:
        is_due |= _is_announced & (MemberPermissionRow.erase_at <= now)
    ended = MemberPermissionRow.state != State.GRANTED
    return await all_permissions(connection, ended, is_due, _has_series)


async def register(
    connection: AsyncConnection, ids: Iterable[MemberPermissionId] | None = None, *, after: int = 0
) -> list[PermissionChange]:
    """Return the register after an entry, of some permissions or of all."""
    query = _REGISTER.where(MemberPermissionRegisterRow.seq > after)
    if ids is not None:
        query = query.where(MemberPermissionRegisterRow.permission_id.in_(list(ids)))
    return [PermissionChange(*row) for row in await connection.execute(query)]


async def changes(connection: AsyncConnection, member: MemberId) -> int:
    """Count the entries of the register about a member: another number says that it changed."""
    query = (
        select(func.count())
        .select_from(MemberPermissionRegisterRow)
        .join(
            MemberPermissionRow,
            MemberPermissionRow.id == MemberPermissionRegisterRow.permission_id,
        )
        .where(MemberPermissionRow.member_id == member)
    )
    return (await connection.execute(query)).scalar_one()


async def note(
    connection: AsyncConnection,
    id: MemberPermissionId,
    state: State,
    actor: PermissionActor,
    *,
    text_hash: str | None = None,
    erased: int | None = None,
) -> None:
    """Write an entry of the register: a permission has a new state, or its records were erased.

    It happens now, by the clock; the database sets the state of the permission.
    """
    at = datetime.now(UTC)
    await connection.execute(
        insert(MemberPermissionRegisterRow).values(
            permission_id=id, state=state, at=at, actor=actor, text_hash=text_hash, erased=erased
        )
    )


async def _note_subscribed(
    connection: AsyncConnection, permission: MemberPermission, received: Permission
) -> None:
    """Store the subscribed powers that a member says with a permission that it sends again."""
    if permission.state is not State.GRANTED:
        return
    for name in permission.series:
        power = received.subscribed_kva.get(name)
        if power != permission.subscribed_kva.get(name):
            await update_series(connection, (permission.id, str(name)), subscribed_kva=power)


async def _forestalled(connection: AsyncConnection, member: MemberId) -> list[str]:
    ids: list[str] = json.loads(await setting(connection, f"{_EARLY}{member}") or "[]")
    return ids


async def _end(
    connection: AsyncConnection,
    permission: MemberPermission,
    state: State,
    actor: PermissionActor,
    at: datetime,
) -> None:
    erase_at = at + timedelta(days=permission.need.retention_days)
    # A household's clock ends the permission together with ours.
    notified_at = None if actor is PermissionActor.COLLECTIVE else at
    ended = update(MemberPermissionRow).where(MemberPermissionRow.id == permission.id)
    await connection.execute(ended.values(erase_at=erase_at, notified_at=notified_at))
    await note(connection, permission.id, state, actor)


async def _open_need(connection: AsyncConnection, received: Permission) -> DataNeed:
    """Return the data need that a permission answers, if it is currently offered."""
    for need in await offered(connection):
        if (need.id, need.version) == (received.need, received.version):
            return need
    raise NotRequested(_OUTDATED)


def _check(need: DataNeed, received: Permission, at: datetime) -> None:
    for field in _wider_fields(need, received, at):
        raise NotRequested(_WIDER.fill(field=field))
    if received.valid_until <= at:
        raise NotRequested(_OVER)


def _wider_fields(need: DataNeed, received: Permission, at: datetime) -> Iterator[str]:
    """Yield the attributes and elements of `<permission>` that ask for more than the need."""
    if received.reading is not need.reading:
        yield "reading"
    if not read_interval(received.interval).no_finer_than(need.interval):
        yield "interval"
    if not received.identification.may_answer(need.identification):
        yield "identification"
    if received.records_from < received.valid_from - timedelta(days=need.history_days):
        yield "records-from"
    if received.valid_until > received.valid_from + timedelta(days=need.duration_days):
        yield "valid-until"
    names = received.series
    are_few = len(names) <= MAX_SERIES and len(set(names)) == len(names)
    if not are_few or not all(_is_asked(need, received, name) for name in names):
        yield "series"
    if received.valid_from > at + _SKEW:
        yield "valid-from"


def _is_asked(need: DataNeed, received: Permission, name: Identifier) -> bool:
    device = name.device
    is_organisation = device.subtype == "org" and device.body.startswith(f"{ENTERPRISE}-")
    by_point = received.identification is Identification.DELIVERY_POINT
    return (
        any(name.direction in WIRE_DIRECTIONS[series.direction] for series in need.series)
        and name.quantity in _PATHS
        and (is_organisation or (by_point and device.delivery_point is not None))
    )


def _is_same(permission: MemberPermission, received: Permission) -> bool:
    stored = permission.need.id, permission.need.version, *_SAME(permission)
    sent = received.need, received.version, *_SAME(received)
    return stored == sent and set(permission.series) in (set(), set(received.series))


async def all_permissions(
    connection: AsyncConnection, *conditions: ColumnElement[bool]
) -> list[MemberPermission]:
    """Return all permissions of members, or those that meet conditions."""
    query = (
        select(*_COLUMNS)
        .where(*conditions)
        .order_by(MemberPermissionRow.valid_from, MemberPermissionRow.id)
    )
    rows = (await connection.execute(query)).all()
    series: defaultdict[str, dict[Identifier, int | None]] = defaultdict(dict)
    names = (
        select(
            MemberPermissionSeriesRow.permission_id,
            MemberPermissionSeriesRow.identifier,
            MemberPermissionSeriesRow.subscribed_kva,
        )
        .select_from(MemberPermissionSeriesRow)
        .join(MemberPermissionRow)
        .where(*conditions)
        .order_by(MemberPermissionSeriesRow.identifier)
    )
    for permission_id, name, power in await connection.execute(names):
        series[permission_id][identifier(name)] = power
    needs = await granted(connection, {(row.need, row.version) for row in rows})
    permissions = []
    for row in rows:
        columns = row._asdict()
        columns["need"] = needs[row.need, columns.pop("version")]
        powers = {name: power for name, power in series[row.id].items() if power is not None}
        permissions.append(
            MemberPermission(**columns, series=tuple(series[row.id]), subscribed_kva=powers)
        )
    return permissions
