"""How a household meets peers: `join` by an invitation, `peer` by a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from consometers_node.cli.core.access import server_for
from consometers_node.cli.core.errors import CliError, refusals_of
from consometers_node.cli.core.locale import say, who
from consometers_node.cli.core.options import Common, Ours, Reach
from consometers_node.cli.core.output import Output
from consometers_node.cli.core.paths import Role, role_of
from consometers_node.cli.core.usage import Commands
from consometers_node.cli.household.command import HouseholdSession, run
from consometers_node.i18n.protocol import OurWords
from consometers_node.i18n.text import text
from consometers_node.sharing import consent_text
from consometers_node.sharing.account import HasAccount, load, take
from consometers_node.sharing.permissions.consent import (
    DataRequest,
    Decisions,
    data_request,
    propose_need,
)
from consometers_node.store import Store
from consometers_node.wire import read_need_file
from consometers_quoalise_network import Asking, Identity, Join, Register, links
from consometers_quoalise_network.address import bare
from consometers_quoalise_xmpp import register
from consometers_quoalise_xmpp.trial import aside, online

if TYPE_CHECKING:
    from consometers_node.cli.collective.command import CollectiveSession

_HAS_ACCOUNT = text(
    "This node already has an account, {jid}. Remove it first with “logout”; collectives that"
    " know this account will then no longer recognise you."
)
_NEW_ACCOUNT = text(
    "{jid} is this node's new account. Its password is random, and only the node knows it."
)
_NO_ACCOUNT = text(
    "This node has no account yet: create one with the account invitation that came with this"
    " one, or log in with “consometers-node login name@server”."
)
_NOTHING_ASKED = text("{jid} has no data request at present.")
_ASKED = text(
    "\n{number}\n{need}\n\nNothing leaves your home unless you allow it: “consometers-node grant"
    " {number}” shows your choices."
)

commands = Commands()


@commands.add(
    "join",
    text(
        "An account invitation (?register) creates this node's account. A collective's"
        " invitation (?consometers-join) shows what it asks for; this sends no data."
    ),
)
def join(
    link: Annotated[
        str,
        typer.Argument(
            metavar=say("INVITATION"),
            help=say("The invitation: xmpp:…"),
        ),
    ],
    reach: Reach,
    common: Ours,
) -> None:
    """Take an account, or meet a collective."""
    match links.read(link):
        case Register() as invitation:
            account = invitation
            jid = run(common, lambda session: _register(session.store, account, reach))
            common.output.result({"jid": jid, "kept": True}, _NEW_ACCOUNT, jid=jid)
        case Join() as invitation:
            is_ours = role_of(common.data, common.settings) is Role.COLLECTIVE
            met = (_as_collective if is_ours else _as_home)(invitation, common)
            _show(met, invitation.collective, common.output)


@commands.add(
    "peer",
    text(
        "The data request is a TOML file. The peer that it names is contacted only once you"
        " allow it."
    ),
)
def peer(
    _action: Annotated[Literal["add"], typer.Argument(metavar="add", show_default=False)],
    jid: Annotated[
        str,
        typer.Argument(
            metavar="JID",
            help=say("The XMPP address of the peer."),
        ),
    ],
    need: Annotated[
        Path,
        typer.Option(
            metavar=say("FILE"),
            help=say("The data request, in TOML."),
        ),
    ],
    common: Common,
) -> None:
    """Propose a data need from a file to the household."""

    async def work(session: HouseholdSession) -> list[DataRequest]:
        written = read_need_file(need.read_bytes())
        permission = await propose_need(session.store, bare(jid), written, who())
        await session.look_again()
        async with session.store.reading() as connection:
            return [await data_request(connection, permission)]

    _show(run(common, work), jid, common.output)


async def _register(store: Store, invitation: Register, reach: Reach) -> str:
    try:
        return await take(store, invitation, server_for(f"@{invitation.host}", reach), register)
    except HasAccount as existing:
        raise CliError("has-account", _HAS_ACCOUNT.fill(jid=existing.jid)) from None


def _as_home(invitation: Join, common: Ours) -> list[DataRequest]:
    async def work(session: HouseholdSession) -> list[DataRequest]:
        account = await load(session.store)
        if account is None:
            raise CliError("no-account", _NO_ACCOUNT)
        return await _propose_needs(Decisions(session.store), account, invitation, session.output)

    return run(common, work)


def _as_collective(invitation: Join, common: Ours) -> list[DataRequest]:
    # A home has nothing of it.
    from consometers_node.cli.collective import command as of_collective  # noqa: PLC0415
    from consometers_node.store.collective.access_log import written_by  # noqa: PLC0415

    async def work(session: CollectiveSession) -> list[DataRequest]:
        decisions = Decisions(session.store, written_by(who()))
        account = await session.account()
        return await _propose_needs(decisions, account, invitation, session.output)

    return of_collective.run(common, work)


async def _propose_needs(
    decisions: Decisions, account: Identity, invitation: Join, output: Output
) -> list[DataRequest]:
    connection = aside(account, output.language, OurWords)
    asking = Asking(connection)
    async with online(connection):
        with refusals_of(invitation.collective):
            numbers = await decisions.join(asking, invitation)
    async with decisions.store.reading() as reading:
        return [await data_request(reading, permission) for permission in numbers]


def _show(requests: list[DataRequest], jid: str, output: Output) -> None:
    if output.as_json:
        output.document(
            {
                "peer": jid,
                "asked": [
                    {
                        "permission": request.permission.id,
                        "need": request.need.id,
                        "version": request.need.version,
                        "state": request.permission.state,
                        "text": consent_text.need(request.need, request.peer, output.language),
                    }
                    for request in requests
                ],
            }
        )
        return
    for request in requests:
        need = consent_text.need(request.need, request.peer, output.language)
        output.say(_ASKED, number=request.permission.id, need=need)
    if not requests:
        output.say(_NOTHING_ASKED, jid=jid)
