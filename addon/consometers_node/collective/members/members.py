"""The members of this collective, and the groups in which each counts, month by month.

A member that was let in by an invitation is known by an address, and is a guest until it grants a
permission. From then on it counts in all intervals that are not closed yet. It changes its commune,
is shown as a site or is a home again from the first day of a month; a collective counts from one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
import secrets
from typing import NamedTuple
import unicodedata
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, exists, func, insert, or_, select, update

from consometers_node.collective.errors import CollectiveFault, NotFound
from consometers_node.i18n.text import text
from consometers_node.series import Interval
from consometers_node.store.clock import Confirmed
from consometers_node.store.collective.groups import GroupKind, group_id
from consometers_node.store.collective.shown import shown_from
from consometers_node.store.collective.tables import (
    ClosedIntervalRow,
    GroupId,
    GroupMembershipRow,
    InvitationRow,
    MemberGroupRow,
    MemberId,
    MemberPermissionRow,
    MemberRow,
)
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import Erasure, columns_of
from consometers_node.store.personal import delete_rows, empty

from .shares import forget_plant
from .sites import Description
from .subscribers import end as end_reading

DAWN = date(1978, 7, 1)
"""Before the first month with records."""
MAX_AREA = 100
MAX_NOTE = 2_000
MAX_NICKNAME = 80
GUESTS_FOR = timedelta(days=90)
"""How long a guest that gives nothing is remembered."""

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that cannot be confused."""
_PSEUDONYM_LENGTH = 8
_UNKNOWN_MEMBER = text("There is no member “{name}”: “members list” lists them.")


class NameTaken(CollectiveFault):
    """Two sites would have one name."""

    condition = "name-taken"
    words = text("There is already a site named “{name}”: choose another name.")


class Nameless(CollectiveFault):
    """A home is to be named."""

    words = text(
        "A home is known here only by its pseudonym: only a site or a collective has a name."
    )


class NoSite(CollectiveFault):
    """A collective is to be shown as a site."""

    condition = "no-site"
    words = text(
        "A collective is never shown as a public building: its figures are sums of its own"
        " members. Give it a name instead."
    )


class NotByName(CollectiveFault):
    """A member is to be shown by name whose own node has not granted that."""

    condition = "not-by-name"
    words = text(
        "This member has not allowed you to show it by name. Create a data request for it"
        " (identification: name), and invite the member as a site. Show it here once the"
        " building’s own node has allowed it."
    )


class MemberKind(StrEnum):
    """What a member is."""

    HOME = "home"
    SITE = "site"
    """A public building that may be named: once it lets itself be, its figures are its own."""
    COLLECTIVE = "collective"
    """A collective one level below: it sends sums."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A home under its pseudonym, a site, or a collective. Without `jid` it was erased."""

    id: MemberId
    pseudonym: str
    jid: str | None
    kind: MemberKind
    name: str | None
    description: Description | None
    website: str | None
    area: str | None
    invitation_id: str | None
    joined_at: datetime
    left_at: datetime | None
    nickname: str | None = None
    """The name that administrators noted, for themselves."""
    note: str | None = None
    """Administrators' notes about it."""

    @property
    def title(self) -> str:
        """What administrators call it."""
        return self.name or self.nickname or self.pseudonym


class PublicCollective(NamedTuple):
    """A collective one level below, as the public pages name it."""

    name: str
    website: str
    area: str | None


_COLUMNS = columns_of(MemberRow, Member)


def month_of(at: datetime, zone: ZoneInfo) -> date:
    """Return the month of an instant, by its first day."""
    return at.astimezone(zone).date().replace(day=1)


def month_after(month: date) -> date:
    """Return the month after that of a day."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


class Members:
    """All members of this collective, in one transaction of its database."""

    def __init__(self, connection: AsyncConnection, zone: ZoneInfo) -> None:
        self.connection = connection
        self.zone = zone

    async def admit(
        self,
        jid: str,
        at: datetime,
        *,
        kind: MemberKind = MemberKind.HOME,
        area: str | None = None,
        invitation: str | None = None,
    ) -> Member:
        """Admit a guest, which counts nowhere yet; return an existing member unchanged."""
        if (member := await self.by_jid(jid)) is not None:
            return member
        values = {
            "pseudonym": await self._new_pseudonym(),
            "jid": jid,
            "kind": kind,
            "area": area,
            "invitation_id": invitation,
            "joined_at": at,
        }
        made = insert(MemberRow).values(values).returning(MemberRow.id)
        return await self.get((await self.connection.execute(made)).scalar_one())

    async def admit_as(
        self, member: MemberId, kind: MemberKind, area: str | None, invitation: str
    ) -> Member:
        """Change the kind of a guest, which has granted nothing yet, so counts nowhere."""
        values = {"kind": kind, "area": area, "invitation_id": invitation}
        await self._set(member, name=None, description=None, **values)
        return await self.get(member)

    async def may_be_site(self, member: MemberId) -> Member:
        """Make a home a candidate site: it counts as a home until it grants to be shown by name."""
        await self._set(member, kind=MemberKind.SITE)
        return await self.get(member)

    async def has_granted(self, member: MemberId) -> bool:
        """Return whether a member ever granted a permission."""
        query = (
            select(MemberPermissionRow.id).where(MemberPermissionRow.member_id == member).limit(1)
        )
        return (await self.connection.execute(query)).first() is not None

    async def get(self, member: MemberId) -> Member:
        """Return a member. Raises NotFound."""
        return _existing(await self.all(MemberRow.id == member), member)

    async def named(self, name: str) -> Member:
        """Return the member with this pseudonym, name or address. Raises NotFound."""
        names = MemberRow.pseudonym, MemberRow.name, MemberRow.jid
        return _existing(await self.all(or_(*(column == name for column in names))), name)

    async def by_jid(self, jid: str) -> Member | None:
        return next(iter(await self.all(MemberRow.jid == jid)), None)

    async def by_pseudonym(self, pseudonym: str) -> Member | None:
        return next(iter(await self.all(MemberRow.pseudonym == pseudonym)), None)

    async def all(self, *conditions: ColumnElement[bool]) -> list[Member]:
        """Return all present and former members, or those that meet conditions, by their id."""
        query = select(*_COLUMNS).where(*conditions).order_by(MemberRow.id)
        return [
            Member(**row._asdict() | {"description": Description.unpack(row.description)})
            for row in await self.connection.execute(query)
        ]

    async def count(self, member_id: MemberId, records_from: datetime) -> None:
        """Add a member with a permission to its groups, from the month of its first records."""
        member = await self.get(member_id)
        if member.left_at is not None:
            await self._set(member_id, left_at=None)
        await group_id(self.connection, GroupKind.ALL)
        since = month_of(records_from, self.zone)
        if member.kind is MemberKind.COLLECTIVE:
            since = max(since, await self.first_free_month())
        now = await self._open(member_id)
        # A site is shown from the month of which `present` says it.
        for group in await self._groups(replace(member, name=None)):
            if now.get(group, date.max) > since:
                await self._enter(member_id, group, since)

    async def leave(self, member: MemberId, at: datetime) -> None:
        """End a membership: it counts until the end of this month, and reads nothing any more."""
        await self._set(member, left_at=at)
        await end_reading(self.connection, (await self.get(member)).pseudonym)
        await self._end(member, month_after(month_of(at, self.zone)))

    async def forget(self, member: MemberId, at: datetime) -> None:
        """End a membership, and erase the member except its pseudonym."""
        await self.forget_description(await self.get(member))
        await self.leave(member, at)
        await empty(self.connection, MemberRow, Erasure.AFTER_NOTICE, MemberRow.id == member)

    async def forget_description(self, member: Member) -> None:
        """Erase all that describes a member, but not its identity."""
        await self._forget_names(member)
        await forget_plant(self.connection, member.id)
        await delete_rows(self.connection, Erasure.WITH_MEMBER, [member.id])
        await empty(self.connection, MemberRow, Erasure.EMPTIED, MemberRow.id == member.id)

    async def forget_guests(self, now: Confirmed) -> int:
        """Remove guests that granted nothing in all that time; return how many."""
        has_granted = exists().where(MemberPermissionRow.member_id == MemberRow.id)
        before = MemberRow.joined_at < now - GUESTS_FOR
        guests = delete(MemberRow).where(before, MemberRow.jid.is_not(None), ~has_granted)
        return (await self.connection.execute(guests)).rowcount

    async def present(
        self, member: MemberId, name: str, description: Description, at: datetime
    ) -> None:
        """Show a member under its name, as a site. Raises NameTaken, NoSite, NotByName.

        Its own node must have granted that: see `shown`. It is a site from the next open month of
        which all of its records may be shown; under another name, another site.
        """
        if (await self.get(member)).kind is MemberKind.COLLECTIVE:
            raise NoSite
        since = await shown_from(self.connection, member, at)
        if since is None:
            raise NotByName
        await self._check_free(name, member)
        await self._set(member, kind=MemberKind.SITE, name=name, description=description.pack())
        before = select(MemberPermissionRow.records_from, MemberPermissionRow.interval).where(
            MemberPermissionRow.member_id == member, MemberPermissionRow.records_from < since
        )
        starts = [_first_start(*row) for row in await self.connection.execute(before)]
        month = month_of(since, self.zone)
        has_more = any(start < since for start in starts)
        await self._regroup(member, month_after(month) if has_more else month)

    async def hide(self, member: MemberId) -> None:
        """Make a home of a site again, from the next open month. Raises NoSite.

        Its figures of this month may be known, as those of a site: as a home of this month it would
        hide others by them. So it counts nowhere until then: see `memberships`.
        """
        site = await self.get(member)
        if site.kind is MemberKind.COLLECTIVE:
            raise NoSite
        await self._forget_names(site)
        await self._set(member, kind=MemberKind.HOME, name=None, description=None)
        await self._regroup(member)

    async def rename(self, member: MemberId, name: str, website: str | None = None) -> None:
        """Name a collective that is a member. Raises NameTaken, Nameless.

        With the address of its `website`, the public pages name it and lead there.
        """
        if (await self.get(member)).kind is not MemberKind.COLLECTIVE:
            raise Nameless
        await self._check_free(name, member)
        await self._set(member, name=name, website=website)

    async def set_note(
        self, member: MemberId, note: str | None, nickname: str | None = None
    ) -> None:
        await self._set(member, note=note, nickname=nickname)

    async def set_area(self, member: MemberId, area: str | None) -> None:
        await self._set(member, area=area)
        await self._regroup(member)

    async def first_free_month(self) -> date:
        """Return the first month without a closed interval."""
        query = select(func.max(ClosedIntervalRow.start))
        last: datetime | None = (await self.connection.execute(query)).scalar_one()
        return DAWN if last is None else month_after(month_of(last, self.zone))

    async def _groups(self, member: Member) -> list[GroupId]:
        groups = [(GroupKind.REST, "")]
        if member.area is not None:
            groups = [(GroupKind.AREA, member.area)]
        if member.kind is MemberKind.SITE and member.name is not None:
            groups.append((GroupKind.SITE, member.name))
            if member.description is not None and member.description.building is not None:
                groups.append((GroupKind.BUILDING, member.description.building))
        return [await group_id(self.connection, *group) for group in groups]

    async def _regroup(self, member: MemberId, earliest: date = DAWN) -> None:
        """Move a counting member into its current groups."""
        now = await self._open(member)
        if not now:
            return
        month = max(earliest, await self.first_free_month())
        groups = await self._groups(await self.get(member))
        await self._end(member, month, now.keys() - groups)
        for group in groups:
            if group not in now:
                await self._enter(member, group, max(month, min(now.values())))

    async def _open(self, member: MemberId) -> dict[GroupId, date]:
        """Return the groups in which a member counts without end, and from which month on."""
        query = select(GroupMembershipRow.group_id, GroupMembershipRow.from_month).where(
            GroupMembershipRow.member_id == member, GroupMembershipRow.until_month.is_(None)
        )
        return dict((await self.connection.execute(query)).tuples().all())

    async def _enter(self, member: MemberId, group: GroupId, since: date) -> None:
        # A member that left in this month, and is back in it, counts on.
        await self._end(member, since, [group])
        await self.connection.execute(
            insert(GroupMembershipRow).values(member_id=member, group_id=group, from_month=since)
        )

    async def _end(
        self, member: MemberId, month: date, groups: Iterable[GroupId] | None = None
    ) -> None:
        """End the stay of a member in these groups, or in all, before a month."""
        stays = [GroupMembershipRow.member_id == member]
        if groups is not None:
            stays.append(GroupMembershipRow.group_id.in_(list(groups)))
        later = delete(GroupMembershipRow).where(*stays, GroupMembershipRow.from_month >= month)
        await self.connection.execute(later)
        still = or_(
            GroupMembershipRow.until_month.is_(None), GroupMembershipRow.until_month > month
        )
        ending = update(GroupMembershipRow).where(*stays, still).values(until_month=month)
        await self.connection.execute(ending)

    async def _check_free(self, name: str, member: MemberId) -> None:
        taken = select(MemberRow.id).where(MemberRow.name == name, MemberRow.id != member)
        if (await self.connection.execute(taken)).first() is not None:
            raise NameTaken(name=name)

    async def _forget_names(self, member: Member) -> None:
        """Rename the groups of a site alone to its pseudonym.

        Their series under its name are erased in a transaction of their own: see `output_series`.
        """
        own = select(GroupMembershipRow.group_id).where(GroupMembershipRow.member_id == member.id)
        query = select(MemberGroupRow.id, MemberGroupRow.name).where(
            MemberGroupRow.kind == GroupKind.SITE, MemberGroupRow.id.in_(own)
        )
        for group, name in (await self.connection.execute(query)).tuples().all():
            nameless = f"{member.pseudonym}-{group}"
            if name != nameless:
                renamed = update(MemberGroupRow).where(MemberGroupRow.id == group)
                await self.connection.execute(renamed.values(name=nameless))

    async def _set(self, member: MemberId, **values: object) -> None:
        await self.connection.execute(
            update(MemberRow).where(MemberRow.id == member).values(values)
        )

    async def _new_pseudonym(self) -> str:
        while True:
            pseudonym = "".join(secrets.choice(LETTERS) for _ in range(_PSEUDONYM_LENGTH))
            if await self.by_pseudonym(pseudonym) is None:
                return pseudonym


async def public_collectives(connection: AsyncConnection) -> list[PublicCollective]:
    """Return the collectives one level below that the public pages name, by name."""
    query = (
        select(*columns_of(MemberRow, PublicCollective))
        .where(MemberRow.kind == MemberKind.COLLECTIVE, MemberRow.left_at.is_(None))
        .where(MemberRow.name.is_not(None), MemberRow.website.is_not(None))
        .order_by(MemberRow.name)
    )
    return [PublicCollective(*row) for row in await connection.execute(query)]


async def known_areas(connection: AsyncConnection, besides: MemberId | None = None) -> list[str]:
    """Return all communes of members and invitations, in order; of all members but one."""
    of_members = select(MemberRow.area).where(MemberRow.area.is_not(None))
    if besides is not None:
        of_members = of_members.where(MemberRow.id != besides)
    of_invitations = select(InvitationRow.area).where(InvitationRow.area.is_not(None))
    areas = (await connection.execute(of_members.union(of_invitations))).scalars()
    return sorted(area for area in areas if area)


async def known_spelling(
    connection: AsyncConnection, typed: str, member: MemberId | None = None
) -> str:
    """Return a commune in its known spelling; that of `member` may change.

    Case, accents, spaces, hyphens and apostrophes make no other commune.
    """
    areas = await known_areas(connection, member)
    if typed in areas:
        return typed
    return next((area for area in areas if _plain(area) == _plain(typed)), typed)


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in letters if letter.isalnum())


def _existing(members: list[Member], name: object) -> Member:
    if not members:
        raise NotFound(_UNKNOWN_MEMBER.fill(name=name))
    return members[0]


def _first_start(since: datetime, interval: Interval) -> datetime:
    """Return when the first record from an instant on starts at the earliest."""
    step = timedelta(minutes=min(interval, Interval.PT1H, key=lambda step: step.minutes).minutes)
    midnight = datetime.combine(since.date(), time(), UTC)
    return midnight + -(-(since - midnight) // step) * step
