"""The node's XMPP account, stored in its database: `login`, `logout`, `delivery-point`."""

import asyncio
from pathlib import Path
import sys
from typing import Annotated

import typer

from consometers_node.cli.core.access import identity, stored_account
from consometers_node.cli.core.errors import CliError
from consometers_node.cli.core.locale import say
from consometers_node.cli.core.options import Common, Reach
from consometers_node.cli.core.paths import opened
from consometers_node.cli.core.usage import Commands
from consometers_node.cli.household.command import HouseholdSession, run
from consometers_node.i18n.text import text
from consometers_node.sharing.account import save
from consometers_node.sharing.names import is_delivery_point, keep_delivery_point
from consometers_quoalise_network import Identity
from consometers_quoalise_xmpp.trial import try_out

_KEPT = text("{jid} is this node's account: the server accepted the password, and both are saved.")
_FORGOTTEN = text("{jid} is removed from this node. The account itself stays on its server.")
_NONE = text("There was no account here.")

_ASK_POINT = text("The number of your delivery point, 14 digits; an empty line removes it:")
_NOT_A_POINT = text(
    "The number of a delivery point has 14 digits: it is on your bill, or on the meter's screen."
)
_POINT_KEPT = text("The delivery point is saved.")
_POINT_FORGOTTEN = text("No delivery point is saved.")

commands = Commands()


@commands.add(
    "login",
    text(
        "You type the password without seeing it. It is saved only if the server accepts it, in"
        " the node's database, which only its user can read."
    ),
)
def login(
    jid: Annotated[
        str,
        typer.Argument(
            metavar="JID",
            help=say("The address of the account: name@server."),
        ),
    ],
    reach: Reach,
    common: Common,
) -> None:
    """Test an account, and store it."""
    output = common.output
    who = identity(jid, reach, output)
    asyncio.run(try_out(who, output.language))
    asyncio.run(_keep(common.data, who))
    output.result({"jid": who.account.jid, "kept": True}, _KEPT, jid=who.account.jid)


@commands.add("logout")
def logout(common: Common) -> None:
    """Forget the account."""
    who = asyncio.run(stored_account(common.data))
    if who is not None:
        asyncio.run(_keep(common.data, None))
    jid = who.account.jid if who else None
    common.output.result({"jid": jid, "kept": False}, _FORGOTTEN.fill(jid=jid) if jid else _NONE)


async def _keep(data: Path | None, who: Identity | None) -> None:
    async with opened(data) as store:
        await save(store, who)


@commands.add(
    "delivery-point",
    text(
        "Type its 14 digits, or pass them on the standard input; an empty line removes them."
        " They leave only if you allow a collective to know your home by them."
    ),
)
def delivery_point(common: Common) -> None:
    """Store the home's delivery point, or forget it."""
    if sys.stdin.isatty():
        common.output.note(_ASK_POINT)
    typed = "".join(sys.stdin.readline().split())
    if typed and not is_delivery_point(typed):
        raise CliError("not-a-delivery-point", _NOT_A_POINT)

    async def work(session: HouseholdSession) -> None:
        await keep_delivery_point(session.store, typed or None)
        await session.look_again()

    run(common, work)
    common.output.result({"kept": bool(typed)}, _POINT_KEPT if typed else _POINT_FORGOTTEN)
