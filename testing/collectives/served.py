"""Homes whose pages are served, and that join a collective on them, over a real server."""

from contextlib import AsyncExitStack
from pathlib import Path

from consometers_node.sharing.account import save
from consometers_node.store import Store
from consometers_node.store.collective.member_series import of_member
from consometers_quoalise_network import Account, Identity, Join, links
from demo.servers.prosody import Prosody
from testing.collectives.running import Coop
from testing.homes.served import ServedHome, running, toy
from testing.networks import PASSWORD, reach
from testing.waiting import eventually


async def opened(stack: AsyncExitStack, file: Path) -> Store:
    store = await Store.open(file)
    stack.push_async_callback(store.close)
    return store


async def running_member(
    stack: AsyncExitStack, folder: Path, coop: Coop, name: str, *, series: str, language: str = "en"
) -> ServedHome:
    """Run a home that joins on its page, and shares a series of its past."""
    store, server = await opened(stack, folder / f"{name}.db"), coop.server
    assert isinstance(server, Prosody)
    account = Account(server.register(name, PASSWORD), PASSWORD)
    await save(store, Identity(account, reach(server)))
    house = toy()
    house.answers["get_config"] |= {"language": language}
    home = await stack.enter_async_context(running(store, house, server=reach(server)))
    invitation = links.write(Join(coop.jid, await coop.invite()))
    browser = home.browser()
    page = await browser.fill("join", "join", ("invitation", invitation))
    page = await browser.send(page, "preview", ("series", series), ("history", "5"))
    page = await browser.send(page, "allow")
    assert "Allowed" in page.text

    async def received() -> bool:
        async with coop.store.reading() as connection:
            gathered = await of_member(connection, account.jid)
        return any(each.backfilled_until is not None for each in gathered)

    await eventually(received, bool)
    return home
