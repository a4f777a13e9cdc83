"""A household is asked, chooses, looks at what would leave, and answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from ..permission import (
    FOLLOWING,
    Choice,
    DataNeed,
    ForbiddenChange,
    Permission,
    Permissions,
    Signature,
    State,
    Terms,
    narrow,
)
from ..quoalise import Data, Identifier
from ..series import Direction, Interval, Quantity, Range, Record, Series
from ..store import PermissionId, Store
from ..store.peers import Peer, add_peer, all_peers
from ..wire import Naming, read_need, told
from ..xmpp import Asking, Join
from .catch_up import Source, catch_up
from .recorder import Recorder
from .statistics import Proposal, statistic_of


@dataclass(frozen=True, slots=True)
class Asked:
    """A permission, whatever its state, and who asks for it."""

    permission: Permission
    peer: Peer

    @property
    def need(self) -> DataNeed:
        """What is asked for."""
        return self.permission.need


@dataclass(frozen=True, slots=True)
class Preview:
    """What of a series would leave, and under which name: the very records of a message."""

    series: Series
    name: Identifier
    data: Data


async def be_asked(store: Store, asking: Asking, link: Join) -> list[PermissionId]:
    """Ask a collective what it asks for, and put each of it before the household.

    Raises `NetworkError`, `QuoaliseError`, and `Unsayable` on what no household could answer.
    """
    said = await asking.get_data_needs(link.collective, link.token)
    needs = [read_need(one) for one in said]
    now = datetime.now(UTC)
    async with store.writing() as connection:
        name = needs[0].controller if needs else link.collective
        peer = await add_peer(connection, link.collective, name, now)
        permissions = Permissions(connection)
        return [await permissions.propose(peer.id, need, now) for need in needs]


async def be_asked_by_file(
    store: Store, jid: str, need: DataNeed, who: str, name: str | None = None
) -> PermissionId:
    """Put before the household what somebody wrote down in the name of a peer."""
    now = datetime.now(UTC)
    async with store.writing() as connection:
        peer = await add_peer(connection, jid, name or need.controller, now)
        return await Permissions(connection).propose(peer.id, need, now, who)


def offered(
    need: DataNeed,
    proposals: Sequence[Proposal],
    time_zone: str,
    directions: Mapping[str, Direction],
    interval: Interval | None = None,
) -> list[Series]:
    """Give the series of a home that a data need asks for: registers first, in their order.

    `directions` are those that a person said of a statistic. Nothing is chosen by this.
    """
    found = []
    for proposal in sorted(
        proposals, key=lambda one: one.statistic.quantity is not Quantity.ENERGY
    ):
        direction = directions.get(proposal.statistic.id, proposal.direction)
        if direction is not None:
            series = proposal.series(interval or need.interval, time_zone, direction)
            if need.asks_for(series):
                found.append(series)
    return found


async def asked(connection: AsyncConnection, number: PermissionId) -> Asked:
    """Give what is asked for under a number. Raises UnknownPermission."""
    permission = await Permissions(connection).get(number)
    peers = {peer.id: peer for peer in await all_peers(connection)}
    return Asked(permission, peers[permission.peer])


async def preview(
    recorder: Recorder,
    naming: Naming,
    question: Asked,
    choice: Choice,
    *,
    days: int,
    absences: Sequence[Range] = (),
) -> list[Preview]:
    """Give the records of the last days that a choice would let leave.

    `absences` are the times at which Home Assistant was off.

    Raises NotNarrower and `Unsayable` where it cannot be granted, `HomeAssistantFault`.
    """
    now = datetime.now(UTC)
    terms = narrow(question.need, choice, now)
    names = naming.names(terms.series, question.peer.jid, terms.identification)
    within = Range(now - timedelta(days=days), now).clip(terms.records)
    records: dict[Series, list[Record]] = {series: [] for series in terms.series}
    sources = [Source(series, statistic_of(series)) for series in terms.series]
    async for chunk in catch_up(recorder, sources, within, absences=absences):
        for reading in chunk.readings:
            records[reading.block.series] += reading.block.records(within)
    return [
        Preview(series, name, told(name, series, records[series])) for name, series in names.items()
    ]


def expect(question: Asked, state: State) -> None:
    """Make sure that an answer can be given. Raises ForbiddenChange."""
    before = question.permission.state
    if state not in FOLLOWING[before]:
        raise ForbiddenChange(before, state)


async def check(
    connection: AsyncConnection, naming: Naming, question: Asked, choice: Choice
) -> None:
    """Make sure that a choice can be granted, before anyone reads what it says.

    Raises `PermissionFault`; `Unsayable` where two names would be one.
    """
    expect(question, State.GRANTED)
    narrow(question.need, choice, datetime.now(UTC))
    permissions = Permissions(connection)
    peer = question.peer
    identification = choice.identification or question.need.identification
    # An older version of the same need ends by this grant, and its names become free.
    others = {one.id for one in await permissions.all(peer.id) if one.need.id != question.need.id}
    shared = [
        one.series
        for one in await permissions.permitted(peer.id)
        if one.permission in others and one.identification is identification
    ]
    naming.names([*choice.series, *shared], peer.jid, identification)


async def grant(
    connection: AsyncConnection,
    naming: Naming,
    question: Asked,
    choice: Choice,
    signature: Signature,
) -> Terms:
    """Let records leave. Raises as `check` does."""
    await check(connection, naming, question, choice)
    number, now = question.permission.id, datetime.now(UTC)
    return await Permissions(connection).grant(number, choice, signature, now)
