"""A collective that has a home connect where it says: into the household's own network."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
import ssl

import pytest

from consometers_node.household.protected_sums.witness_address import (
    NotPublic,
    PublicResolver,
    Trust,
    addresses,
    check_url,
)
from consometers_node.household.protected_sums.witness_client import WitnessClient, WitnessFault
from consometers_node.sharing.account import save
from consometers_node.wire.witness_requests import Call, OpeningsSummary
from consometers_quoalise_network import Account, Identity, Server
from demo.servers.prosody import Authority
from testing.homes.data_needs import PROTECTED, WITNESS
from testing.homes.served import DRAWN, GUEST, ServedHome, ask

COOP = "coop@energies.example"
NOT_PUBLIC = (
    "https://127.0.0.1",
    "https://127.1.2.3",
    "https://0.0.0.0",
    "https://10.0.0.1",
    "https://172.16.0.1",
    "https://192.168.1.1",
    "https://169.254.169.254",
    "https://100.64.0.1",
    "https://224.0.0.1",
    "https://[::1]",
    "https://[::ffff:127.0.0.1]",
    "https://[fe80::1]",
    "https://[fd00::1]",
    "https://witness.example:8443",
    "https://witness.example:22",
    "https://somebody@witness.example",
    "https://somebody:secret@witness.example",
)


@dataclass
class Listener:
    """A service of the household that nobody outside may reach: it counts connections."""

    port: int = 0
    connections: int = 0

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"


@pytest.fixture
async def listener(socket_enabled: None) -> AsyncIterator[Listener]:
    listening = Listener()

    async def count(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listening.connections += 1
        writer.close()

    async with await asyncio.start_server(count, "127.0.0.1") as server:
        listening.port = server.sockets[0].getsockname()[1]
        yield listening


async def trusting(home: ServedHome, authority: Authority) -> None:
    """Have the home trust the authority of a private server."""
    server = Server(host="127.0.0.1", port=9, ca_file=authority.file)
    await save(home.store, Identity(Account("home@one.test", "secret"), server))


async def test_a_request_that_is_read_connects_nowhere(
    home: ServedHome,
    listener: Listener,
    tmp_path: Path,
) -> None:
    await trusting(home, Authority(tmp_path / "authority"))
    witness = replace(WITNESS, jid="commune@kersabiec.example", url=listener.url)
    number = await ask(home, replace(PROTECTED, witness=witness, policy=f"{listener.url}/p"), COOP)
    for browser in (home.browser(), home.browser(GUEST)):
        for path in ("", "permissions", f"permissions/{number}"):
            page = await browser.open(path)
            assert page.status == 200
    assert listener.connections == 0
    page = await home.browser().fill(f"permissions/{number}", "preview", ("series", DRAWN))
    assert "cannot be reached" in page.text
    assert listener.connections == 1


@pytest.mark.parametrize("is_name", [False, True])
async def test_no_address_of_the_household_is_connected_to(
    home: ServedHome,
    listener: Listener,
    *,
    is_name: bool,
) -> None:
    url = listener.url if is_name else f"https://127.0.0.1:{listener.port}"
    witness = replace(WITNESS, jid="commune@kersabiec.example", url=url)
    number = await ask(home, replace(PROTECTED, witness=witness), COOP)
    page = await home.browser().fill(f"permissions/{number}", "preview", ("series", DRAWN))
    assert "has no public address" in page.text
    assert not any("allow" in form.action for form in page.forms)
    client = WitnessClient(Trust(ssl.create_default_context()))
    with pytest.raises(WitnessFault):
        await client.ask(witness, Call.OPENINGS, {}, OpeningsSummary.read)
    assert listener.connections == 0


@pytest.mark.parametrize("url", ["https://localhost", "https://127.0.0.1"])
async def test_a_witness_at_the_usual_port_of_the_household_is_not_connected_to(
    socket_enabled: None, url: str
) -> None:
    """A name is checked as it is resolved, an address before."""
    client = WitnessClient(Trust(ssl.create_default_context()))
    with pytest.raises(WitnessFault, match="it is not a public address"):
        await client.ask(replace(WITNESS, url=url), Call.OPENINGS, {}, OpeningsSummary.read)


@pytest.mark.parametrize("url", NOT_PUBLIC)
def test_addresses_that_are_not_public_are_refused(url: str) -> None:
    with pytest.raises(NotPublic):
        check_url(url, is_private=False)


@pytest.mark.parametrize("url", ["https://somebody@witness.example", "http://witness.example"])
def test_a_private_network_takes_no_user_name_and_no_plain_text(url: str) -> None:
    with pytest.raises(NotPublic):
        check_url(url, is_private=True)


@pytest.mark.parametrize(
    "url", ["https://witness.example/p", "https://1.1.1.1", "https://[2606::1]"]
)
def test_public_addresses_are_connected_to(url: str) -> None:
    assert check_url(url, is_private=False)[1] == 443


async def test_a_name_of_a_private_address_is_refused(socket_enabled: None) -> None:
    with pytest.raises(NotPublic):
        await addresses("localhost", 443, is_private=False)
    assert await addresses("localhost", 443, is_private=True)
    with pytest.raises(NotPublic):
        await PublicResolver().resolve("localhost", 443)
