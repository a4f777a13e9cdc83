"""What a collective holds of this home: `access`."""

from pathlib import Path
from typing import Annotated

import typer

from consometers_node.cli.core.errors import CliError, refusals_of
from consometers_node.cli.core.locale import say, who
from consometers_node.cli.core.options import Peer
from consometers_node.cli.core.output import Json, write_private
from consometers_node.cli.core.usage import Commands
from consometers_node.i18n.protocol import OurWords
from consometers_node.i18n.text import text
from consometers_node.sharing.access_requests import BadCopy, fetch, log_copy
from consometers_node.store.peers import peer_by_jid
from consometers_quoalise_network import PatientAsking
from consometers_quoalise_network.address import bare
from consometers_quoalise_xmpp.trial import aside, online

from .command import HouseholdSession, run

_UNKNOWN = text("This home never joined {peer}: “permissions” lists its collectives.")
_RECEIVING = text("Export of {peer}")
_WAITING = text("{peer} limits the number of requests: next attempt in {seconds} s.")
_WRITTEN = text("All that {peer} holds about this home is in {file}: export.json and records.csv.")

commands = Commands(run)


@commands.add(
    "access",
    text(
        "You are entitled to a copy. The collective's node answers by itself, at most once an hour,"
        " also after you withdrew; the copy is checked, then written as a ZIP file."
    ),
)
async def access(
    session: HouseholdSession,
    peer: Peer,
    file: Annotated[
        Path,
        typer.Option(
            "--output",
            metavar=say("FILE"),
            help=say("The file to write: a ZIP file with JSON and CSV."),
        ),
    ],
) -> None:
    """Ask a collective for all that it holds of this home."""
    store, output, jid = session.store, session.output, bare(peer)
    account = await session.account()
    async with store.reading() as reading:
        collective = await peer_by_jid(reading, jid)
    if collective is None:
        raise CliError("not-joined", _UNKNOWN.fill(peer=jid))
    connection = aside(account, output.language, OurWords)

    def waits(peer: str, seconds: int) -> None:
        output.note(_WAITING, peer=peer, seconds=seconds)

    asking = PatientAsking(connection, waits)
    with output.progress(_RECEIVING.fill(peer=jid), 1.0) as reached:
        async with online(connection):
            with refusals_of(jid):
                try:
                    copy = await fetch(asking, jid, lambda part, parts: reached(part / parts))
                except BadCopy as fault:
                    raise CliError("damaged", fault.text) from None
    await log_copy(store, collective.id, who(), copy)
    copy.file.seek(0)
    write_private(file, copy.file.read())
    document: Json = {"peer": jid, "file": str(file), "sha256": copy.facts.sha256}
    output.result(document, _WRITTEN, peer=jid, file=file)
