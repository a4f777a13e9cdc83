"""Permissions in the database, each with the register of its history.

Nothing here is the last word: the database refuses by itself what these rules refuse (see
`store/migrations`). All of it happens inside the transaction that the caller holds, and what is
written happens now, by the clock.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
import logging
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, case, insert, select, update
from sqlalchemy.exc import DBAPIError, NoResultFound

from consometers_node.i18n.text import text
from consometers_node.series import Device, Range, Series
from consometers_node.store.clock import Confirmed
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import aliased, columns_of
from consometers_node.store.peers import MEMBER
from consometers_node.store.series import SERIES_FACTS, add_series
from consometers_node.store.tables import (
    NoticeRow,
    PeerId,
    PeerRow,
    PermissionId,
    PermissionRow,
    PermissionSeriesRow,
    PermittedRow,
    RegisterRow,
    SeriesId,
    SeriesRow,
    ShownTextRow,
)
from consometers_quoalise import Identification, Reading, State

from .errors import ForbiddenChange, OutdatedNeed, UnknownPermission
from .need import DataNeed
from .needs import add_need, newest_version, some_needs
from .states import FOLLOWING, Actor
from .terms import Choice, ShownText, Signature, Terms, narrow


@dataclass(frozen=True, slots=True)
class Permission:
    """An answer to one version of a data need, or the request while it is only proposed.

    `is_registered` is false where it was withdrawn, and the register did not take the entry.
    """

    id: PermissionId
    peer: PeerId
    need: DataNeed
    state: State
    terms: Terms | None
    is_registered: bool = True

    def may_become(self, state: State) -> bool:
        """Return whether the register takes an entry of this state next."""
        return state in (FOLLOWING[self.state] if self.is_registered else {self.state})

    def expect(self, state: State) -> None:
        """Raise ForbiddenChange unless the permission may become this."""
        if not self.may_become(state):
            raise ForbiddenChange(self.state, state)


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """An entry of the register. Hash and language name the text that was shown."""

    seq: int
    state: State
    at: datetime
    actor: Actor
    who: str | None
    text_hash: str | None
    language: str | None


@dataclass(frozen=True, slots=True)
class Permitted:
    """A series whose records of a range may leave now."""

    permission: PermissionId
    series_id: SeriesId
    series: Series
    identification: Identification
    records: Range
    reading: Reading = Reading.INDIVIDUAL


@dataclass(frozen=True, slots=True)
class Notice:
    """A pending notice for a peer. Once it `is_under_way`, the peer may know it."""

    seq: int
    permission: PermissionId
    state: State
    erase: bool | None
    is_under_way: bool


@dataclass(frozen=True, slots=True)
class NoticeReceipt:
    """A change sent to a peer, and its receipt; None until that has come."""

    seq: int
    erase: bool | None
    at: datetime | None
    receipt: str | None


_UNDER_WAY = "under way"
_NOT_ENTERED = text("A withdrawal is not in the register, and is valid all the same: {why}")
_LOGGER = logging.getLogger(__name__)

_TERMS = columns_of(PermissionRow, Terms, series=None, subscribed_kva=None)
_ERASE = NoticeRow.erase == 1


class Permissions:
    """All permissions of this node, in one transaction of its database."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def propose(
        self, peer: PeerId, need: DataNeed, at: datetime, who: str | None = None
    ) -> PermissionId:
        """Propose a data need to the household, and return the permission that it is to answer.

        A version that waits for its answer, or was granted, is not asked again. `who` is the
        person that asks in the peer's name, by a file. Raises ChangedNeed.
        """
        need_id = await add_need(self._connection, peer, need, at)
        query = select(PermissionRow.id).where(
            PermissionRow.data_need_id == need_id,
            PermissionRow.state.in_([State.PROPOSED, State.GRANTED]),
        )
        stored = (await self._connection.execute(query)).scalar_one_or_none()
        if stored is not None:
            return stored
        permission = PermissionId(str(uuid4()))
        await self._connection.execute(
            insert(PermissionRow).values(
                id=permission,
                peer_id=peer,
                data_need_id=need_id,
                need=need.id,
                state=State.PROPOSED,
            )
        )
        actor = Actor.PEER if who is None else Actor.HOUSEHOLD
        who = who or await self._jid(peer)
        await self._write(permission, State.PROPOSED, at, actor=actor, who=who)
        return permission

    async def grant(
        self, permission: PermissionId, choice: Choice, signature: Signature, at: datetime
    ) -> Terms:
        """Grant a permission. One for an older version of the need ends with that.

        Raises NotNarrower, OutdatedNeed, ForbiddenChange, UnknownPermission.
        """
        asked = await self.get(permission)
        asked.expect(State.GRANTED)
        if await newest_version(self._connection, asked.peer, asked.need.id) > asked.need.version:
            raise OutdatedNeed
        terms = narrow(asked.need, choice, at)
        for older in await self.all(asked.peer):
            if older.need.id == asked.need.id and older.state is State.GRANTED:
                await self.terminate(older.id, at)
        await self._connection.execute(
            update(PermissionRow)
            .where(PermissionRow.id == permission)
            .values({getattr(PermissionRow, name.key): getattr(terms, name.key) for name in _TERMS})
        )
        for series in terms.series:
            series_id = await add_series(self._connection, series)
            await self._connection.execute(
                insert(PermissionSeriesRow).values(
                    permission_id=permission,
                    series_id=series_id,
                    subscribed_kva=terms.subscribed_kva.get(series),
                )
            )
        entry = await self._sign(permission, State.GRANTED, at, signature)
        await self._notify(entry, None)
        return terms

    async def note_subscribed(self, powers: Mapping[Device, int]) -> bool:
        """Store the present subscribed powers (kVA) of meters, and return whether one changed.

        Only a power that left with a grant may leave again: what was read before it says so.
        """
        changed = False
        for device, power in powers.items():
            of_device = select(SeriesRow.id).where(SeriesRow.device == device)
            granted = select(PermissionRow.id).where(PermissionRow.state == State.GRANTED)
            other = update(PermissionSeriesRow).where(
                PermissionSeriesRow.series_id.in_(of_device),
                PermissionSeriesRow.permission_id.in_(granted),
                PermissionSeriesRow.subscribed_kva != power,
            )
            result = await self._connection.execute(other.values(subscribed_kva=power))
            changed |= result.rowcount > 0
        return changed

    async def refuse(self, permission: PermissionId, signature: Signature, at: datetime) -> None:
        """Refuse a proposed permission. Raises ForbiddenChange, UnknownPermission."""
        (await self.get(permission)).expect(State.REFUSED)
        await self._sign(permission, State.REFUSED, at, signature)

    async def withdraw(
        self, permission: PermissionId, signature: Signature, at: datetime, *, erase: bool = True
    ) -> bool:
        """End it, for the household: nothing queued is left when the transaction ends.

        `erase` asks the peer to erase what it has. Return whether the register took the entry:
        where it does not, the permission ends without, nobody is notified, and this can be tried
        again. Raises ForbiddenChange, UnknownPermission.
        """
        (await self.get(permission)).expect(State.WITHDRAWN)
        try:
            async with self._connection.begin_nested():
                entry = await self._sign(permission, State.WITHDRAWN, at, signature)
                await self._notify(entry, erase)
        except (DBAPIError, NoResultFound) as fault:
            why = getattr(fault, "orig", fault)
            _LOGGER.warning(_NOT_ENTERED.fill(why=why))
            ended = update(PermissionRow).where(PermissionRow.id == permission)
            await self._connection.execute(ended.values(state=State.WITHDRAWN))
            return False
        return True

    async def may_leave(self, permission: PermissionId) -> bool:
        """Return whether any record may leave now by a permission, as the database has it."""
        query = select(PermittedRow.series_id).where(PermittedRow.permission_id == permission)
        return (await self._connection.execute(query.limit(1))).first() is not None

    async def terminate(self, permission: PermissionId, at: datetime) -> None:
        """End it, for the peer. Raises ForbiddenChange, UnknownPermission."""
        ended = await self.get(permission)
        ended.expect(State.TERMINATED)
        who = await self._jid(ended.peer)
        await self._write(permission, State.TERMINATED, at, actor=Actor.PEER, who=who)

    async def expire(self, at: Confirmed) -> list[PermissionId]:
        """Register which permissions have expired, and return them. They ended by themselves."""
        query = select(PermissionRow.id).where(
            PermissionRow.state == State.GRANTED, PermissionRow.valid_until <= at
        )
        over = list((await self._connection.execute(query)).scalars())
        for permission in over:
            await self._write(permission, State.EXPIRED, at, actor=Actor.CLOCK, who=None)
        return over

    async def get(self, permission: PermissionId) -> Permission:
        """Return a permission, or raise UnknownPermission."""
        for stored in await self._read(PermissionRow.id == permission):
            return stored
        raise UnknownPermission

    async def all(self, peer: PeerId | None = None) -> list[Permission]:
        """Return the permissions of all peers that are known by an address, or of one, in order."""
        if peer is not None:
            return await self._read(PermissionRow.peer_id == peer)
        members = select(PeerRow.id).where(PeerRow.jid.startswith(MEMBER))
        return await self._read(PermissionRow.peer_id.not_in(members))

    async def entries(self, permission: PermissionId) -> list[RegisterEntry]:
        """Return the history of a permission, in order."""
        query = (
            select(*columns_of(RegisterRow, RegisterEntry))
            .where(RegisterRow.permission_id == permission)
            .order_by(RegisterRow.seq)
        )
        return [RegisterEntry(*row) for row in await self._connection.execute(query)]

    async def shown_text(self, entry: RegisterEntry) -> ShownText | None:
        """Return the text shown to the person."""
        query = select(ShownTextRow.language, ShownTextRow.body).where(
            ShownTextRow.hash == entry.text_hash, ShownTextRow.language == entry.language
        )
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else ShownText(*row)

    async def permitted(self, peer: PeerId) -> list[Permitted]:
        """Return what a peer may read now, by the database's clock."""
        query = (
            select(
                *columns_of(PermittedRow, Permitted, permission=PermittedRow.permission_id),
                PermittedRow.records_from,
                PermittedRow.valid_until,
                *SERIES_FACTS,
            )
            .join(SeriesRow, SeriesRow.id == PermittedRow.series_id)
            .where(PermittedRow.peer_id == peer)
            .order_by(PermittedRow.series_id, PermittedRow.permission_id)
        )
        return [
            Permitted(
                permission, series_id, Series(*facts), identification, Range(start, end), reading
            )
            for permission, series_id, identification, reading, start, end, *facts in (
                await self._connection.execute(query)
            )
        ]

    async def notices(self, peer: PeerId) -> list[Notice]:
        """Return the notices that a peer has not yet confirmed, in order."""
        columns = columns_of(
            NoticeRow,
            Notice,
            permission=RegisterRow.permission_id,
            state=RegisterRow.state,
            erase=_ERASE,
            is_under_way=NoticeRow.receipt.is_not(None),
        )
        query = (
            select(*columns)
            .join(RegisterRow, RegisterRow.seq == NoticeRow.seq)
            .join(PermissionRow)
            .where(PermissionRow.peer_id == peer, NoticeRow.notified_at.is_(None))
            .order_by(NoticeRow.seq)
        )
        return [Notice(*row) for row in await self._connection.execute(query)]

    async def receipts(self, permission: PermissionId) -> list[NoticeReceipt]:
        """Return the notices of a permission that were or will be sent to the peer, in order."""
        came = case((NoticeRow.notified_at.is_not(None), NoticeRow.receipt))
        query = (
            select(NoticeRow.seq, _ERASE, NoticeRow.notified_at, came)
            .join(RegisterRow)
            .where(RegisterRow.permission_id == permission)
            .order_by(NoticeRow.seq)
        )
        return [NoticeReceipt(*row) for row in await self._connection.execute(query)]

    async def begin_notice(self, seq: int) -> None:
        """Note that a notice is about to leave: from now on its peer may know it."""
        marked = update(NoticeRow).where(NoticeRow.seq == seq).values(receipt=_UNDER_WAY)
        await self._connection.execute(marked)

    async def keep_receipt(self, seq: int, receipt: str, at: datetime) -> None:
        """Store the receipt of a notice."""
        stored = (
            update(NoticeRow).where(NoticeRow.seq == seq).values(notified_at=at, receipt=receipt)
        )
        await self._connection.execute(stored)

    async def _read(self, *conditions: ColumnElement[bool]) -> list[Permission]:
        named: defaultdict[PermissionId, dict[Series, int | None]] = defaultdict(dict)
        names = select(
            PermissionSeriesRow.permission_id, PermissionSeriesRow.subscribed_kva, *SERIES_FACTS
        ).join(SeriesRow)
        names = names.join(PermissionRow).where(*conditions)
        for permission, power, *facts in await self._connection.execute(names):
            named[permission][Series(*facts)] = power
        query = (
            select(
                PermissionRow.id,
                PermissionRow.peer_id,
                PermissionRow.data_need_id,
                PermissionRow.state,
                _LAST_STATE,
                *_TERMS,
            )
            .join(RegisterRow)
            .where(RegisterRow.state == State.PROPOSED, *conditions)
            .order_by(RegisterRow.seq)
        )
        rows = (await self._connection.execute(query)).all()
        needs = await some_needs(self._connection, {row.data_need_id for row in rows})
        return [
            Permission(
                permission,
                peer,
                needs[need],
                State(state),
                _terms(named[permission], terms),
                is_registered=state == last,
            )
            for permission, peer, need, state, last, *terms in rows
        ]

    async def _sign(
        self, permission: PermissionId, state: State, at: datetime, signature: Signature
    ) -> int:
        text = signature.text
        key = {"hash": text.hash, "language": text.language}
        query = select(ShownTextRow.hash).filter_by(**key)
        if (await self._connection.execute(query)).one_or_none() is None:
            await self._connection.execute(insert(ShownTextRow).values(**key, body=text.body))
        who = signature.who
        return await self._write(permission, state, at, actor=Actor.HOUSEHOLD, who=who, text=text)

    async def _write(
        self,
        permission: PermissionId,
        state: State,
        at: datetime,
        *,
        actor: Actor,
        who: str | None,
        text: ShownText | None = None,
    ) -> int:
        entry = insert(RegisterRow).values(
            permission_id=permission,
            state=state,
            at=at,
            actor=actor,
            who=who,
            text_hash=text and text.hash,
            language=text and text.language,
        )
        result = await self._connection.execute(entry.returning(RegisterRow.seq))
        return result.scalar_one()

    async def _notify(self, seq: int, erase: bool | None) -> None:
        values = {"seq": seq, "erase": None if erase is None else int(erase)}
        notice = insert(NoticeRow).values(values).returning(NoticeRow.seq)
        (await self._connection.execute(notice)).scalar_one()

    async def _jid(self, peer: PeerId) -> str:
        query = select(PeerRow.jid).where(PeerRow.id == peer)
        return (await self._connection.execute(query)).scalar_one()


_LATER = aliased(RegisterRow)
_LAST_STATE = (
    select(_LATER.state)
    .where(_LATER.permission_id == PermissionRow.id)
    .order_by(_LATER.seq.desc())
    .limit(1)
    .scalar_subquery()
)


def _terms(series: Mapping[Series, int | None], stored: Sequence[Any]) -> Terms | None:
    """Return the terms once all of them are chosen; `series` have the power of their meters."""
    if None in stored:
        return None
    names = (column.key for column in _TERMS)
    powers = {each: power for each, power in series.items() if power is not None}
    chosen = dict(zip(names, stored, strict=True))
    return Terms(series=frozenset(series), subscribed_kva=powers, **chosen)
