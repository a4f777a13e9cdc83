"""The permissions that members gave: what this collective may read of whom, and until when.

None is taken that goes beyond what is asked. Every change is an entry of a register that only
grows, and stays when what was given is long erased: it names permissions, and nobody.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
import json

from sqlalchemy import ColumnElement, case, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ...permission import DataNeed, Identification, Reading, State
from ...quoalise import Device, Direction, Identifier, Permission, SeriesPath
from ...quoalise.identifier import ENTERPRISE, identifier
from ...quoalise.text import text
from ...series import Direction as Way, Interval
from ...store.claims import add_claims
from ...store.clock import Confirmed
from ...store.collective_tables import (
    GivenId,
    GivenRegisterRow,
    GivenRow,
    GivenSeriesRow,
    MemberId,
    MemberRow,
)
from ...store.settings import set_setting, setting
from ...store.shown import shown_from
from ...store.tables import columns_of
from ...store.types import Instant
from ...wire.needs import read_interval
from ..errors import NotAsked, NotYours, Unknown
from ..members.members import Kind, Members
from .needs import granted, versions

MAX_SERIES = 50
"""Of one permission: a home has a few."""

MAX_EARLY = 32
"""Withdrawals of one member that came before their grants."""
_EARLY = "withdrawn before it came."
"""Of a member: the permissions that it withdrew before they came."""
_SKEW = timedelta(days=1)
"""Clocks differ, but not by that."""
_PATHS = (SeriesPath.POWER, SeriesPath.ENERGY_DAILY)
_SAID = {
    Way.CONSUMPTION: {Direction.CONSUMPTION},
    # What a meter counts of it is production there; a collective says it by its own name.
    Way.INJECTION: {Direction.PRODUCTION, Direction.INJECTION},
    Way.PRODUCTION: {Direction.PRODUCTION},
}

_OUTDATED = text("This is not what is asked at present: ask what is, and answer that.")
_WIDER = text("The permission allows more than what is asked ({field}): nothing was taken of it.")
_OVER = text("The permission has already expired.")
_OURS = text(
    "One of these names is that of this collective itself, or of a group of its members: nothing"
    " was taken. A collective that would be a member has an identifier of its own."
)
_FORESTALLED = text(
    "You withdrew this permission before it arrived: nothing was taken. Grant a new one to share."
)
_OTHER = text("There is another permission of that number: nothing was changed.")
_UNKNOWN = text("There is no such permission.")


GRACE = timedelta(hours=24)
"""How long administrators see what is about to be erased by time."""

_is_asked_for = GivenRow.erase_at <= GivenRow.announced_at
_is_announced = GivenRow.erase_at > GivenRow.announced_at
"""What goes by time is erased some time after it was announced."""


class Actor(StrEnum):
    """Who changed a permission."""

    MEMBER = "member"
    COLLECTIVE = "collective"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A permission that a member gave. `series` is empty once what it brought was erased.

    Records of `records_from <= t < valid_until` may be read, while it stands. `erase_at` is when
    they are erased, once it has ended, and `announced_at` since when that is certain: see `due`.
    `told_at` is when its member knew of the end.
    """

    id: GivenId
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
    told_at: datetime | None
    series: tuple[Identifier, ...]

    def stands(self, at: datetime) -> bool:
        """Return whether records may be read by it at an instant."""
        return self.state is State.GRANTED and self.valid_from - _SKEW <= at < self.valid_until


_COLUMNS = (
    *columns_of(GivenRow, Given, but={"member", "series"}),
    GivenRow.member_id.label("member"),
    GivenRow.version,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One change, as the register has it; what was erased, in records."""

    seq: int
    given: GivenId
    state: State
    at: datetime
    actor: Actor
    text_hash: str | None
    erased: int | None


async def take(
    members: Members, member: MemberId, said: Permission, at: datetime, *, own: Device
) -> Given:
    """Take a permission: it stands from now on, in place of one to an older version.

    What was taken before is given as it stands. No member shares under the name of this collective
    (`own`) or of its groups. Whether others share under the same names changes nothing of the
    answer: see `claims`. Raises NotAsked, NotYours, Unsayable.
    """
    connection = members.connection
    known = await _all(connection, GivenRow.id == said.id)
    if known:
        if known[0].member != member or not _is_same(known[0], said):
            raise NotYours(_OTHER)
        return known[0]
    if said.id in await _forestalled(connection, member):
        raise NotAsked(_FORESTALLED)
    need = await _asked(connection, said)
    _check(need, said, at)
    devices = {one.device for one in said.series}
    if any(_is_of(one, own) for one in devices):
        raise NotYours(_OURS)
    for older in await of_member(connection, member):
        if older.need.id == need.id and older.state is State.GRANTED:
            await _end(connection, older, State.TERMINATED, Actor.MEMBER, at)
    number = GivenId(said.id)
    await connection.execute(
        insert(GivenRow).values(
            id=number,
            member_id=member,
            need=need.id,
            version=need.version,
            state=State.GRANTED,
            interval=read_interval(said.interval),
            identification=said.identification,
            records_from=said.records_from,
            valid_from=said.valid_from,
            valid_until=said.valid_until,
            shown_sha256=said.shown_sha256,
            shown_language=said.shown_language,
        )
    )
    names = [{"given_id": number, "identifier": str(one)} for one in said.series]
    await connection.execute(insert(GivenSeriesRow), names)
    await add_claims(connection, member, {str(device) for device in devices}, at)
    await note(connection, number, State.GRANTED, Actor.MEMBER, text_hash=said.shown_sha256)
    await members.count(member, said.records_from)
    await settle(members, member, at)
    return await get(connection, number)


async def withdraw(
    members: Members, member: MemberId, number: str, at: datetime, *, erase: bool
) -> Given:
    """End a permission as its member wants it: what it brought is due to be erased, or kept.

    Who first let it be kept may still have it erased. Raises Unknown.
    """
    given = await get(members.connection, GivenId(number))
    if given.member != member:
        raise Unknown(_UNKNOWN)
    if given.state is State.GRANTED:
        await _end(members.connection, given, State.WITHDRAWN, Actor.MEMBER, at)
    if erase:
        for one in await of_member(members.connection, member):
            # What an older version brought goes with it.
            if one.need.id == given.need.id and one.state is not State.GRANTED:
                await erase_at_once(members.connection, one.id, at)
    await settle(members, member, at)
    return await get(members.connection, given.id)


async def forestall(connection: AsyncConnection, member: MemberId, number: str) -> None:
    """Store that a member withdrew a permission that has not come: it is not taken if it comes.

    A server on the way may deliver a grant after its withdrawal. The last `MAX_EARLY` are known.
    """
    early = [one for one in await _forestalled(connection, member) if one != number]
    numbers = json.dumps([*early, number][-MAX_EARLY:])
    await set_setting(connection, f"{_EARLY}{member}", numbers)


async def terminate(members: Members, number: GivenId, at: datetime) -> Given:
    """End a permission in the collective's name; its member is to be told. Raises Unknown."""
    given = await get(members.connection, number)
    if given.state is State.GRANTED:
        await _end(members.connection, given, State.TERMINATED, Actor.COLLECTIVE, at)
        await settle(members, given.member, at)
    return await get(members.connection, number)


async def expire(members: Members, at: Confirmed) -> list[Given]:
    """End what has run out, and give it."""
    over = GivenRow.state == State.GRANTED, GivenRow.valid_until <= at
    ended = await _all(members.connection, *over)
    for one in ended:
        await _end(members.connection, one, State.EXPIRED, Actor.CLOCK, one.valid_until)
        await settle(members, one.member, at)
    return [await get(members.connection, one.id) for one in ended]


async def settle(members: Members, member: MemberId, at: datetime) -> None:
    """Hide a site whose permission by name has ended; end a membership without permissions."""
    known = await members.get(member)
    is_shown = known.kind is Kind.SITE and known.name is not None
    if is_shown and await shown_from(members.connection, member, at) is None:
        await members.hide(member)
    if all(one.state is not State.GRANTED for one in await of_member(members.connection, member)):
        await members.leave(member, at)


async def get(connection: AsyncConnection, number: GivenId) -> Given:
    """Return a permission. Raises Unknown."""
    found = await _all(connection, GivenRow.id == number)
    if not found:
        raise Unknown(_UNKNOWN)
    return found[0]


async def of_member(connection: AsyncConnection, member: MemberId) -> list[Given]:
    """Return all that a member ever gave, the oldest first."""
    return await _all(connection, GivenRow.member_id == member)


async def all_given(connection: AsyncConnection) -> list[Given]:
    """Return all that anybody ever gave."""
    return await _all(connection)


async def answers(connection: AsyncConnection) -> Counter[tuple[str, int, State]]:
    """Count what was given, by data need, version and what has become of it."""
    kind = GivenRow.need, GivenRow.version, GivenRow.state
    rows = await connection.execute(select(*kind, func.count()).group_by(*kind))
    return Counter({(need, version, State(state)): count for need, version, state, count in rows})


async def answers_to(connection: AsyncConnection, need: str, version: int) -> list[Given]:
    """Return all that was given to one version of a data need."""
    return await _all(connection, GivenRow.need == need, GivenRow.version == version)


async def last_heard(connection: AsyncConnection) -> dict[MemberId, datetime]:
    """Return when records of each member last came, of those of whom any did."""
    query = (
        select(GivenRow.member_id, func.max(GivenSeriesRow.heard_at))
        .join(GivenSeriesRow, GivenSeriesRow.given_id == GivenRow.id)
        .where(GivenSeriesRow.heard_at.is_not(None))
        .group_by(GivenRow.member_id)
    )
    rows = await connection.execute(query)
    return {member: heard for member, heard in rows if heard is not None}


async def untold(connection: AsyncConnection) -> list[Given]:
    """Return what ended without its member knowing it, of members whom it can be told."""
    known = select(MemberRow.id).where(MemberRow.jid.is_not(None))
    ended = GivenRow.state != State.GRANTED, GivenRow.told_at.is_(None)
    return await _all(connection, *ended, GivenRow.member_id.in_(known))


async def told(connection: AsyncConnection, number: GivenId, at: datetime) -> None:
    """Note that a member knows that its permission ended."""
    await connection.execute(update(GivenRow).where(GivenRow.id == number).values(told_at=at))


async def erase_at_once(connection: AsyncConnection, number: GivenId, at: datetime) -> None:
    """Have what a permission brought erased because somebody asked for it at that instant."""
    others = GivenRow.announced_at.is_(None) | _is_announced
    asked = update(GivenRow).where(GivenRow.id == number, others)
    await connection.execute(asked.values(erase_at=at, announced_at=at))


async def announce(connection: AsyncConnection, now: Confirmed) -> None:
    """Show administrators for `GRACE` what is erased because its time is over."""
    ends = GivenRow.state != State.GRANTED, GivenRow.erase_at <= now + GRACE
    soon = update(GivenRow).where(*ends, GivenRow.announced_at.is_(None))
    earliest = literal(now + GRACE, Instant)
    late = case((GivenRow.erase_at < earliest, earliest), else_=GivenRow.erase_at)
    await connection.execute(soon.values(announced_at=now, erase_at=late))


async def announced(connection: AsyncConnection) -> list[Given]:
    """Return permissions whose records are about to be erased because their time is over."""
    return [one for one in await _all(connection, _is_announced) if one.series]


async def due(connection: AsyncConnection, now: Confirmed | None) -> list[Given]:
    """Return ended permissions whose records are to be erased now.

    What somebody asked for is due at once, whatever the clock shows; the rest once it was announced
    for long enough, by a clock that is confirmed.
    """
    is_due = _is_asked_for
    if now is not None:
        is_due |= _is_announced & (GivenRow.erase_at <= now)
    ended = await _all(connection, GivenRow.state != State.GRANTED, is_due)
    return [one for one in ended if one.series]


async def register(
    connection: AsyncConnection, numbers: Iterable[GivenId] | None = None
) -> list[Entry]:
    """Return the register, of some permissions or of all."""
    query = select(GivenRegisterRow.__table__).order_by(GivenRegisterRow.seq)
    if numbers is not None:
        query = query.where(GivenRegisterRow.given_id.in_(list(numbers)))
    return [
        Entry(number, given, State(state), at, Actor(actor), *rest)
        for number, given, state, at, actor, *rest in await connection.execute(query)
    ]


async def note(
    connection: AsyncConnection,
    number: GivenId,
    state: State,
    actor: Actor,
    *,
    text_hash: str | None = None,
    erased: int | None = None,
) -> None:
    """Write an entry of the register: a permission came into a state, or what it brought went.

    What is written happens now, by the clock; the database sets the state of the permission.
    """
    at = datetime.now(UTC)
    await connection.execute(
        insert(GivenRegisterRow).values(
            given_id=number, state=state, at=at, actor=actor, text_hash=text_hash, erased=erased
        )
    )


async def _forestalled(connection: AsyncConnection, member: MemberId) -> list[str]:
    numbers: list[str] = json.loads(await setting(connection, f"{_EARLY}{member}") or "[]")
    return numbers


async def _end(
    connection: AsyncConnection, given: Given, state: State, actor: Actor, at: datetime
) -> None:
    kept_until = at + timedelta(days=given.need.retention_days)
    # The clock of a household runs out with ours.
    known = None if actor is Actor.COLLECTIVE else at
    await connection.execute(
        update(GivenRow).where(GivenRow.id == given.id).values(erase_at=kept_until, told_at=known)
    )
    await note(connection, given.id, state, actor)


async def _asked(connection: AsyncConnection, said: Permission) -> DataNeed:
    """Return the data need that a permission answers, if it is asked for now."""
    for one in await versions(connection, said.need):
        if one.need.version == said.version and one.closed_at is None:
            return one.need
    raise NotAsked(_OUTDATED)


def _check(need: DataNeed, said: Permission, at: datetime) -> None:
    for field, is_narrower in _NARROWER.items():
        if not is_narrower(need, said):
            raise NotAsked(_WIDER.fill(field=field))
    if said.valid_from > at + _SKEW:
        raise NotAsked(_WIDER.fill(field="valid-from"))
    if said.valid_until <= at:
        raise NotAsked(_OVER)


_NARROWER: dict[str, Callable[[DataNeed, Permission], bool]] = {
    "reading": lambda need, said: Reading(said.reading) is need.reading,
    "interval": lambda need, said: read_interval(said.interval).no_finer_than(need.interval),
    "identification": lambda need, said: Identification(said.identification).may_answer(
        need.identification
    ),
    "records-from": lambda need, said: (
        said.records_from >= said.valid_from - timedelta(days=need.history_days)
    ),
    "valid-until": lambda need, said: (
        said.valid_until <= said.valid_from + timedelta(days=need.duration_days)
    ),
    "series": lambda need, said: (
        len(said.series) <= MAX_SERIES
        and len(set(said.series)) == len(said.series)
        and all(_is_asked(need, said, one) for one in said.series)
    ),
}
"""By the attribute or element of `<permission>`: whether it asks for no more than the need."""


def _is_asked(need: DataNeed, said: Permission, name: Identifier) -> bool:
    asked = {word for one in need.wanted for word in _SAID[one.direction]}
    point = name.device.delivery_point is not None
    by_point = Identification(said.identification) is Identification.DELIVERY_POINT
    return (
        name.direction in asked
        and name.quantity in _PATHS
        and ((point and by_point) or _is_named_here(name.device))
    )


def _is_same(given: Given, said: Permission) -> bool:
    return (
        given.need.id == said.need
        and given.need.version == said.version
        and given.valid_from == said.valid_from
        and given.valid_until == said.valid_until
        and given.records_from == said.records_from
        and given.shown_sha256 == said.shown_sha256
        and (not given.series or set(given.series) == set(said.series))
    )


def _is_named_here(device: Device) -> bool:
    return device.subtype == "org" and device.body.startswith(f"{ENTERPRISE}-")


def _is_of(device: Device, own: Device) -> bool:
    return device == own or str(device).startswith(f"{own}-")


async def _all(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> list[Given]:
    query = select(*_COLUMNS).where(*conditions).order_by(GivenRow.valid_from, GivenRow.id)
    rows = (await connection.execute(query)).all()
    named: dict[str, list[Identifier]] = {}
    names = (
        select(GivenSeriesRow.given_id, GivenSeriesRow.identifier)
        .join(GivenRow, GivenRow.id == GivenSeriesRow.given_id)
        .where(*conditions)
        .order_by(GivenSeriesRow.identifier)
    )
    for number, name in await connection.execute(names):
        named.setdefault(number, []).append(identifier(name))
    needs = await granted(connection, {(row.need, row.version) for row in rows})
    found = []
    for row in rows:
        facts = row._asdict()
        facts["need"] = needs[row.need, facts.pop("version")]
        facts["state"] = State(row.state)
        facts["identification"] = Identification(row.identification)
        found.append(Given(**facts, series=tuple(named.get(row.id, ()))))
    return found
