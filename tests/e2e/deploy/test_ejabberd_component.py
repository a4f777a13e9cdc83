"""A component speaks for its domain at a clustered ejabberd, and with a home of another server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import pytest
import pytest_asyncio

from consometers_quoalise import OtherError
from consometers_quoalise_network import Answering, Asking, Pushing, Receiving, Security, Server
from consometers_quoalise_network.address import account_of
from consometers_quoalise_network.errors import WrongPassword
from consometers_quoalise_xmpp import Component, Proof
from demo.servers.prosody import Authority, Prosody
from testing.networks import PASSWORD, QUICK, transport
from testing.run import DEADLINE_S
from testing.xmpp.answerers import NOW, SERIES, START, MemoryHome, RecordKeeper, records
from testing.xmpp.ejabberd import Cluster

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(600),
]

DOMAIN: Final = "homes.test"
SECRET: Final = "of the component"


@dataclass
class Servers:
    cluster: Cluster
    prosody: Prosody

    def component(self, secret: str = SECRET) -> Component:
        """Return the component, at the first machine."""
        machine, _ = self.cluster.machines
        place = Server(
            host=machine.address,
            port=self.cluster.client_port,
            security=Security.STARTTLS,
            ca_file=self.cluster.ca_file,
        )
        return Component(
            DOMAIN,
            secret,
            machine.address,
            self.cluster.component_port,
            proof=Proof(self.cluster.host, place),
            backoff=QUICK,
        )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    folder = tmp_path_factory.mktemp("ejabberd")
    authority = Authority(folder)
    async with AsyncExitStack() as stack:
        prosody = Prosody("two.test", authority, folder / "prosody")
        cluster = Cluster("bretagne.test", authority, prosody, folder / "cluster")
        cluster.component(DOMAIN, SECRET)
        for domain in (cluster.host, DOMAIN):
            prosody.knows_at(domain, *cluster.places)
        stack.enter_context(prosody)
        await asyncio.to_thread(stack.enter_context, cluster)
        yield Servers(cluster, prosody)


async def test_homes_of_a_component_are_asked_and_push(both: Servers) -> None:
    collective = transport(both.prosody, both.prosody.register("collective", PASSWORD))
    keeper, logged_in = RecordKeeper(), asyncio.Event()
    collective.announce(None).receives = True
    Receiving(collective, keeper.keep)
    async with both.component() as component, collective:
        home = component.transport(f"a@{DOMAIN}")
        home.on_login(logged_in.set)
        answerer = MemoryHome(account_of(collective.jid))
        home.announce(answerer.role)
        Answering(home, answerer)
        async with home:
            await home.online(DEADLINE_S)
            await collective.online(DEADLINE_S)
            asking = Asking(collective)
            day = await asking.get_history(f"a@{DOMAIN}", SERIES, START, START + timedelta(days=1))
            assert len(day) == 24
            with pytest.raises(OtherError) as refused:
                await asking.list_series(f"b@{DOMAIN}")
            assert refused.value.condition == "service-unavailable"
            pushing, peer = Pushing(home), account_of(collective.jid)
            for receipt in (True, False):
                await pushing.push(peer, records(NOW, 3), receipt=receipt, seconds=DEADLINE_S)
            assert keeper.counts[f"a@{DOMAIN}"] >= 1
            assert await home.sends_receipts(collective.jid) is True
            async with asyncio.timeout(DEADLINE_S):
                await logged_in.wait()


async def test_a_home_comes_back_after_its_server_was_killed(both: Servers) -> None:
    machine, _ = both.cluster.machines
    async with both.component() as component, component.transport(f"a@{DOMAIN}") as home:
        session = await home.online(DEADLINE_S)
        await asyncio.to_thread(machine.kill)
        async with asyncio.timeout(DEADLINE_S):
            await session.ended
        assert not home.is_online
        await asyncio.to_thread(both.cluster.restart, machine)
        assert await home.online(DEADLINE_S) is not session


async def test_a_wrong_secret_is_refused(both: Servers) -> None:
    async with both.component("wrong") as component:
        with pytest.raises(WrongPassword):
            await component.online(DEADLINE_S)
