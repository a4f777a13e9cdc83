"""Data needs: a person chooses, previews the records, and answers."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import logging
from types import MappingProxyType

from sqlalchemy.exc import DBAPIError

from consometers_node.i18n.text import UNSAID, text
from consometers_node.permission import (
    Choice,
    CountedTwice,
    DataNeed,
    Permission,
    Permissions,
    Reading,
    Signature,
    State,
    SumRefused,
    Terms,
    WrongClock,
    narrow,
)
from consometers_node.series import Range, Record, Series
from consometers_node.sharing.records.due_records import beside, records_of
from consometers_node.store import PermissionId, Store
from consometers_node.store.clock import Clock
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.household.enrolments import set_code
from consometers_node.store.peers import Peer, add_peer, all_peers
from consometers_node.store.series import all_series, series_id
from consometers_node.wire import NOTHING_BESIDE, Beside, Naming, encode_series, read_need
from consometers_quoalise import Data, Identifier
from consometers_quoalise.records.identifier import organisation
from consometers_quoalise_network import Asking, Join

from .sum_requests import minimum_homes, objection_to_series, objection_to_witness

_NOT_LOGGED = text("A withdrawal could not be written into the access log.")
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DataRequest:
    """A permission in any state, and its peer."""

    permission: Permission
    peer: Peer

    @property
    def need(self) -> DataNeed:
        return self.permission.need


@dataclass(frozen=True, slots=True)
class Preview:
    """What would leave of a series, and under which name: the very records of a message."""

    series: Series
    name: Identifier
    data: Data


@dataclass(frozen=True, slots=True)
class PreviewScope:
    """A preview of a grant: series under their names, and the last days."""

    names: Mapping[Identifier, Series]
    within: Range

    def previews(
        self,
        records: Mapping[Series, Iterable[Record]],
        others: Mapping[Series, Beside] = MappingProxyType({}),
    ) -> list[Preview]:
        """Return what would leave of these records, with the numbers beside them."""
        return [
            Preview(
                series,
                name,
                encode_series(name, series, records[series], others.get(series, NOTHING_BESIDE)),
            )
            for name, series in self.names.items()
        ]


async def propose_needs(store: Store, asking: Asking, link: Join) -> list[PermissionId]:
    """Propose a collective's data needs to the person who decides here.

    Raises `NetworkError`, `QuoaliseError`, and `Unsayable` on what no household could answer.
    """
    asked = await asking.get_data_needs(link.collective, link.token)
    needs = [read_need(need) for need in asked]
    now = datetime.now(UTC)
    async with store.writing() as connection:
        name = needs[0].controller if needs else link.collective
        peer = await add_peer(connection, link.collective, name, now)
        permissions = Permissions(connection)
        return [await permissions.propose(peer.id, need, now) for need in needs]


async def propose_need(
    store: Store, jid: str, need: DataNeed, who: str, name: str | None = None
) -> PermissionId:
    """Propose a data need from a file, in the name of a peer."""
    now = datetime.now(UTC)
    async with store.writing() as connection:
        peer = await add_peer(connection, jid, name or need.controller, now)
        return await Permissions(connection).propose(peer.id, need, now, who)


async def data_request(connection: AsyncConnection, permission_id: PermissionId) -> DataRequest:
    """Return a permission and its peer. Raises UnknownPermission."""
    permission = await Permissions(connection).get(permission_id)
    peers = {peer.id: peer for peer in await all_peers(connection)}
    return DataRequest(permission, peers[permission.peer])


async def matching_series(
    connection: AsyncConnection, naming: Naming, need: DataNeed
) -> list[Series]:
    """Return the stored series that a data need covers. Nothing is chosen yet."""
    matching = [
        series
        for series in (await all_series(connection)).values()
        if naming.may_name(series) and need.asks_for(series)
    ]
    return sorted(
        matching, key=lambda series: (series.device, series.direction, series.interval.minutes)
    )


def sight(naming: Naming, question: DataRequest, choice: Choice, days: int) -> PreviewScope:
    """Return which records of the last days a choice would disclose.

    Raises NotNarrower, CountedTwice and `Unsayable` where it cannot be granted.
    """
    _check_overlap(naming, choice.series)
    now = datetime.now(UTC)
    terms = narrow(question.need, choice, now)
    names = naming.names(terms.series, question.peer.jid, terms.identification)
    within = Range(now - timedelta(days=days), now)
    # Sums are of hours to come: those of the last days are an example.
    is_example = question.need.reading is Reading.SUM
    return PreviewScope(names, within if is_example else within.clip(terms.records))


async def preview(
    connection: AsyncConnection, naming: Naming, question: DataRequest, choice: Choice, *, days: int
) -> list[Preview]:
    """Return which stored records of the last days a choice would disclose.

    Raises as `sight` does.
    """
    seen = sight(naming, question, choice, days)
    records: dict[Series, list[Record]] = {series: [] for series in seen.names.values()}
    others: dict[Series, Beside] = {}
    for series in seen.names.values():
        stored_id = await series_id(connection, series)
        if stored_id is not None:
            records[series] = await records_of(connection, naming, stored_id, series, seen.within)
            others[series] = await beside(connection, naming, series, records[series])
    return seen.previews(records, others)


async def check(
    connection: AsyncConnection,
    naming: Naming,
    question: DataRequest,
    choice: Choice,
    *,
    clock: Clock | None = None,
) -> datetime:
    """Return the instant at which a choice can be granted, before anyone reads its text.

    It is the one that the clock check passed: a clock that jumps after it dates no permission.

    Raises `PermissionFault`, of which `WrongClock`, `CountedTwice` and `SumRefused`; `Unsayable`
    where two names would be one.
    """
    question.permission.expect(State.GRANTED)
    clock = clock or Clock()
    now = await clock.unless_wrong(connection)
    if now is None:
        raise WrongClock(clock.problem or UNSAID)
    narrow(question.need, choice, now)
    permissions = Permissions(connection)
    peer = question.peer
    identification = choice.identification or question.need.identification
    _check_overlap(naming, choice.series)
    granted = await permissions.all(peer.id)
    minimum = await minimum_homes(connection)
    objection = objection_to_series(
        question.need, choice.series, granted, of_home=naming.collective is None
    ) or objection_to_witness(question.need, peer.jid, minimum)
    if objection is not None:
        raise SumRefused(objection)
    # An older version of the same need ends by this grant, and its names become free.
    others = {other.id for other in granted if other.need.id != question.need.id}
    shared = [
        grant.series
        for grant in await permissions.permitted(peer.id)
        if grant.permission in others and grant.identification is identification
    ]
    naming.names([*choice.series, *shared], peer.jid, identification)
    return now


async def grant(
    connection: AsyncConnection,
    naming: Naming,
    question: DataRequest,
    choice: Choice,
    signature: Signature,
    *,
    clock: Clock | None = None,
    code: str | None = None,
) -> Terms:
    """Grant a permission from the checked instant on, with its witness’s code if there is one.

    Raises as `check` does.
    """
    at = await check(connection, naming, question, choice, clock=clock)
    permission = question.permission.id
    terms = await Permissions(connection).grant(permission, choice, signature, at)
    if code is not None:
        await set_code(connection, permission, code)
    return terms


def _check_overlap(naming: Naming, chosen: Iterable[Series]) -> None:
    """Refuse the sum of all members beside that of some of them. Raises CountedTwice."""
    if naming.collective is None:
        return
    everybody = str(organisation(naming.collective))
    whole = {series.direction for series in chosen if series.device == everybody}
    for series in chosen:
        if series.device != everybody and series.direction in whole:
            raise CountedTwice(series.device)


type Log = Callable[[AsyncConnection, str], Awaitable[None]]
"""Logs an action, in its transaction."""


async def no_log(_connection: AsyncConnection, _what: str) -> None:
    """Log nothing: at home, the register is the log."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """A person's answers to peers: each once, for pages and commands.

    `log` is the access log of a collective, which has several administrators.
    """

    store: Store
    log: Log = no_log

    async def join(self, asking: Asking, link: Join) -> list[PermissionId]:
        """Accept an invitation. Raises as `propose_needs` does."""
        permission_ids = await propose_needs(self.store, asking, link)
        async with self.store.writing() as connection:
            await self.log(connection, f"joined {link.collective}")
        return permission_ids

    async def grant(
        self,
        naming: Naming,
        question: DataRequest,
        choice: Choice,
        signature: Signature,
        *,
        code: str | None = None,
    ) -> Terms:
        """Grant a permission, as `grant` does."""
        async with self.store.writing() as connection:
            terms = await grant(connection, naming, question, choice, signature, code=code)
            await self._log(connection, "allowed", question)
            return terms

    async def refuse(self, question: DataRequest, signature: Signature) -> None:
        """Refuse a data need. Raises `PermissionFault`."""
        async with self.store.writing() as connection:
            now = datetime.now(UTC)
            await Permissions(connection).refuse(question.permission.id, signature, now)
            await self._log(connection, "refused", question)

    async def withdraw(self, question: DataRequest, signature: Signature, *, erase: bool) -> bool:
        """Withdraw a permission at once. Return whether the register has it.

        Raises `PermissionFault`, and `DBAPIError` where the database refuses. The log comes after:
        whatever is in its way, nothing more leaves.
        """
        async with self.store.withdrawing() as connection:
            is_registered = await Permissions(connection).withdraw(
                question.permission.id, signature, datetime.now(UTC), erase=erase
            )
        try:
            async with self.store.writing() as connection:
                await self._log(connection, "withdrawn", question)
        except DBAPIError:
            _LOGGER.warning(_NOT_LOGGED)
        return is_registered

    async def _log(self, connection: AsyncConnection, what: str, question: DataRequest) -> None:
        await self.log(connection, f"{what} {question.need.id} of {question.peer.jid}")
