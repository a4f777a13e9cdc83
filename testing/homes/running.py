"""A home that runs on the network, and a collective that stores what it receives."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import override

from consometers_node.permission import (
    Choice,
    DataNeed,
    Identification,
    Permissions,
)
from consometers_node.series import Series
from consometers_node.sharing.answers import Answers
from consometers_node.sharing.changes import Changes
from consometers_node.sharing.delivery import Delivery
from consometers_node.sharing.records.masked_reports import HomeKeys, keep_keys
from consometers_node.sharing.service import MakeAnswers, Sharing
from consometers_node.store import PermissionId, Store
from consometers_node.store.clock import Clock
from consometers_node.store.household.enrolments import add_enrolment, update_enrolment
from consometers_node.wire import Naming
import consometers_quoalise as quoalise
from consometers_quoalise import (
    Data,
    Erased,
    Identifier,
    ItemNotFound,
    Permission,
    QuoaliseError,
    Receipt,
    Role,
    State,
)
from consometers_quoalise_network import Answerer, Asker, Transport
from consometers_quoalise_network.address import account_of
from packages.quoalise.tests import samples
from testing.homes.data_needs import CHOICE, HOURLY, NEED, STOP, now
from testing.homes.ledgers import NAMING, Ledger, midnight
from testing.networks import PASSWORD, Host, transport
from testing.run import DEADLINE_S
from testing.xmpp.fixtures import XmppNode


class Shares(Answers):
    """A home that shares stored records alone, and expects none."""

    role = Role.HOUSEHOLD


class StoringCollective(Answerer):
    """A collective that takes grants, stores pushed records, and remembers withdrawals."""

    role = Role.COLLECTIVE

    def __init__(self) -> None:
        self.permissions: dict[str, Permission] = {}
        self.states: dict[str, State] = {}
        self.log: list[tuple[str, str]] = []
        self.erases: list[bool] = []
        self.values: dict[datetime, int] = {}
        self.pushes = 0
        self.came = asyncio.Event()
        self.keeps = asyncio.Event()
        self.keeps.set()
        self.answers = asyncio.Event()
        self.answers.set()
        self.refuses: QuoaliseError | None = None
        self.says: State | None = None
        self.names: str | None = None
        self.invitations: list[str | None] = []
        self.needs: list[quoalise.DataNeed] = [samples.NEED]

    @override
    async def get_data_needs(
        self, asker: Asker, invitation: str | None
    ) -> Iterable[quoalise.DataNeed]:
        self.invitations.append(invitation)
        return self.needs

    @override
    async def grant(self, asker: Asker, permission: Permission) -> Receipt:
        self.log.append(("grant", permission.id))
        if self.refuses is not None:
            raise self.refuses
        self.permissions[permission.id] = permission
        state = self.states.setdefault(permission.id, State.GRANTED)
        await self.answers.wait()
        return self._receipt(permission.id, self.says or state)

    @override
    async def withdraw(self, asker: Asker, permission: str, *, erase: bool) -> Receipt:
        self.log.append(("withdraw", permission))
        if permission not in self.permissions:
            raise ItemNotFound
        self.erases.append(erase)
        self.states[permission] = State.WITHDRAWN
        erased = tuple(Erased(series, 1) for series in self.permissions[permission].series)
        state = self.says or State.WITHDRAWN
        return self._receipt(permission, state, erased if erase else ())

    async def keep(self, sender: str, data: Data) -> None:
        self.pushes += 1
        self.came.set()
        await self.keeps.wait()
        for record in data.records:
            for second, value in record.values.items():
                self.values[datetime.fromtimestamp(float(second), UTC)] = int(value)

    def _receipt(self, number: str, state: State, erased: Iterable[Erased] = ()) -> Receipt:
        now = datetime.now(UTC).replace(microsecond=0)
        return Receipt(permission=self.names or number, state=state, time=now, erased=tuple(erased))


@dataclass
class RunningHome:
    """A home that runs."""

    store: Store
    sharing: Sharing
    changes: Changes
    connection: Transport
    ledger: Ledger
    task: asyncio.Task[object] = field(repr=False)

    @property
    def address(self) -> str:
        return self.connection.jid

    @property
    def delivery(self) -> Delivery:
        return self.sharing.deliveries[self.ledger.peer.id]

    @property
    def name(self) -> Identifier:
        return NAMING.name(HOURLY, self.ledger.peer.jid, Identification.PSEUDONYM)

    async def grant(self, need: DataNeed = NEED, choice: Choice = CHOICE) -> PermissionId:
        permission = await self.ledger.grant(need, choice)
        self.changes.notify()
        return permission

    async def withdraw(self, permission: PermissionId, *, erase: bool = True) -> None:
        async with self.store.writing() as connection:
            await Permissions(connection).withdraw(permission, STOP, now(), erase=erase)
        self.changes.notify()

    async def keep(self, values: dict[datetime, int | None]) -> None:
        await self.ledger.keep(values)
        self.changes.notify()

    async def state(self, permission: PermissionId) -> State:
        async with self.store.reading() as connection:
            return (await Permissions(connection).get(permission)).state

    async def becomes(self, permission: PermissionId, state: State) -> None:
        """Wait until a permission is in a state."""
        async with asyncio.timeout(DEADLINE_S):
            while await self.state(permission) is not state:
                await asyncio.sleep(0.01)

    async def pending_notices(self) -> int:
        async with self.store.reading() as connection:
            return len(await Permissions(connection).notices(self.ledger.peer.id))


@asynccontextmanager
async def running(
    store: Store,
    server: Host,
    jid: str,
    peer: str,
    *,
    receipt_within_s: float = 5,
    first_delay_s: float = 0.2,
    password: str = PASSWORD,
    renewal_s: float = 3600,
    naming: Naming = NAMING,
    make_answers: MakeAnswers = Shares,
    series: Series = HOURLY,
    clock: Clock | None = None,
) -> AsyncIterator[RunningHome]:
    """Run a node, with little patience."""
    changes = Changes()
    connection = transport(server, jid, password=password)
    sharing = Sharing(
        store,
        naming,
        connection,
        changes,
        make_answers,
        clock=clock or Clock(),
        first_delay_s=first_delay_s,
        receipt_within_s=receipt_within_s,
        renewal_s=renewal_s,
    )
    ledger = await Ledger.open(store, peer, series)
    async with connection:
        task: asyncio.Task[object] = asyncio.create_task(sharing.run())
        try:
            yield RunningHome(store, sharing, changes, connection, ledger, task)
            assert not task.done(), task
        finally:
            task.cancel()
            await asyncio.wait({task})


def bare(node: XmppNode) -> str:
    return account_of(node.connection.jid)


async def decisions_confirmed(house: RunningHome) -> None:
    """Wait until the collective has confirmed all that was decided."""
    async with asyncio.timeout(DEADLINE_S):
        while await house.pending_notices():
            await asyncio.sleep(0.01)


async def shared(house: RunningHome, coop: XmppNode) -> PermissionId:
    """Grant something that the collective then subscribes to."""
    await house.ledger.cover(midnight(-30), midnight(1))
    permission = await house.grant()
    await decisions_confirmed(house)
    await coop.asking.subscribe(house.address, house.name)
    return permission


async def enrol(store: Store, permission: PermissionId, day: date) -> HomeKeys:
    """Have the witness confirm the enrolment of a permission."""
    keys = HomeKeys.new(day)
    async with store.writing() as connection:
        await add_enrolment(connection, permission)
        await keep_keys(connection, permission, keys)
        await update_enrolment(connection, permission, enrolled_at=now(), receipt="mac")
    return keys
