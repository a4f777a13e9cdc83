"""A collective that runs on the network, with little patience."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from consometers_node.collective.ingestion.backfill import BackfillPace
from consometers_node.collective.members import invitations
from consometers_node.collective.members.members import MemberKind
from consometers_node.collective.node import CollectiveNode, CollectiveOnline, CollectivePace
from consometers_node.collective.permissions import needs
from consometers_node.collective.publication.policy import AT_ONCE, open_from
from consometers_node.collective.settings import Settings
from consometers_node.collective.settings_file import read
from consometers_node.permission import DataNeed
from consometers_node.store import Store
from consometers_node.store.collective.member_series import MemberSeries, of_member
from consometers_quoalise_network import Identity, Transport
from testing.collectives.records import stored_values
from testing.homes.data_needs import NEED, now
from testing.networks import Host, identity, transport
from testing.run import DEADLINE_S

PACE = CollectivePace(
    first_delay_s=0.2,
    receipt_within_s=5,
    backfill=BackfillPace(
        again_s=3600,
        busy_s=0.2,
        longest_busy_s=0.5,
        first_delay_s=0.2,
        longest_delay_s=0.5,
        pause_s=0.05,
    ),
    retention_s=0.2,
    notices_s=0.2,
    letters_s=0.2,
    publishing_s=0.2,
    pause_s=0.2,
)


type Run = Callable[[], AbstractAsyncContextManager[Coop]]


@dataclass
class Coop:
    """A collective, which may run."""

    store: Store
    server: Host
    jid: str
    settings: Settings
    node: CollectiveNode = field(init=False)
    task: asyncio.Task[object] = field(init=False, repr=False)

    async def start(self) -> None:
        """Run it, until it is online."""

        def connect(who: Identity) -> Transport:
            return transport(self.server, who.account.jid)

        who = identity(self.server, self.jid)
        self.node = CollectiveNode(self.store, self.settings, who, connect, pace=PACE)
        self.task = asyncio.create_task(self.node.run())
        async with asyncio.timeout(DEADLINE_S):
            while self.node.network is None or not self.network.connection.is_online:
                assert not self.task.done(), self.task
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """End it, whatever it is about to do."""
        assert not self.task.done(), self.task
        self.task.cancel()
        await asyncio.wait({self.task})

    @property
    def network(self) -> CollectiveOnline:
        assert self.node.network is not None
        return self.node.network

    async def open(self) -> None:
        """Publish from now on, and the past that is there."""
        async with self.store.writing() as connection:
            await open_from(connection, AT_ONCE, "Maëlle", now())
        self.node.look_again()

    async def invite(self, need: DataNeed = NEED, kind: MemberKind = MemberKind.HOME) -> str:
        """Ask for something, and give the token of an invitation for one."""
        async with self.store.writing() as connection:
            await needs.offer(connection, need, now())
            _, token = await invitations.make(
                connection, at=now(), expires_at=now() + timedelta(days=1), kind=kind
            )
        return token

    async def member_series(self, jid: str) -> MemberSeries:
        """Return the one series of a member, with the progress of its backfill."""
        async with self.store.reading() as connection:
            (permission,) = await of_member(connection, jid)
            return permission

    async def values(self, days: list[date]) -> dict[datetime, int]:
        return await stored_values(self.store, days)


def settings(folder: Path, jid: str, identifier: str) -> Settings:
    file = folder / f"{identifier}.toml"
    file.write_text(f"""\
name = "Énergies de Kersabiec"
identifier = "{identifier}"
[xmpp]
account = "{jid}"
[publication]
minimum = 3
""")
    document = read(file, {})
    return replace(document, publication=replace(document.publication, wait=timedelta(seconds=1)))


@asynccontextmanager
async def cooperating(
    store: Store,
    server: Host,
    jid: str,
    folder: Path,
    identifier: str = "kersabiec",
    *,
    location: str | None = None,
) -> AsyncIterator[Coop]:
    """Run a collective."""
    result = replace(settings(folder, jid, identifier), location=location)
    async with store.writing() as connection:
        await open_from(connection, AT_ONCE, "Maëlle", now())
    coop = Coop(store, server, jid, result)
    await coop.start()
    try:
        yield coop
    finally:
        await coop.stop()
