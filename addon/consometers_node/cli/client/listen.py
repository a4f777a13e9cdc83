"""Listens to other nodes: prints what they push, then acknowledges it."""

import asyncio
from typing import Annotated

import typer

from consometers_node.i18n.protocol import OurWords
from consometers_node.i18n.text import text
from consometers_quoalise import Data
from consometers_quoalise_xmpp import Connection, Discovery, NetworkError, NotStored, Receiving
from consometers_quoalise_xmpp.account import bare
from consometers_quoalise_xmpp.trial import aside, online

from ..core.access import identity_of
from ..core.locale import say
from ..core.options import AccountAccess, Common
from ..core.output import Output
from ..core.times import local, utc
from ..core.usage import Commands

_PATIENCE_SECONDS = 3600

_LISTENING = text("Listening as {jid}; Ctrl-C ends it.")
_RECORD = "{time}  {series}  {value} {unit}  ({peer})"

commands = Commands()


@commands.add(
    "listen",
    text(
        "Records go to the account, whichever program subscribed it. Printed records are"
        " acknowledged and are not sent again: if a node runs with the same account, it may miss"
        " them. Give listen an account of its own."
    ),
)
def listen(
    access: AccountAccess,
    common: Common,
    count: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help=say("Stop after N records; the last message is printed in full."),
        ),
    ] = None,
    sender: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="JID",
            help=say("Print only the records of this node; the others are sent again later."),
        ),
    ] = None,
) -> None:
    """Print new records."""
    output = common.output
    peer = bare(sender) if sender else None

    async def run() -> None:
        who = await identity_of(access, common)
        connection = aside(who, output.language, OurWords)
        printer = RecordPrinter(output, peer, count)
        Discovery(connection, None, receives=True)
        Receiving(connection, printer.receive)
        async with online(connection):
            if not output.as_json:
                output.note(_LISTENING, jid=who.account.jid)
            staying = asyncio.ensure_future(_stay(connection))
            try:
                await asyncio.wait({staying, printer.done}, return_when=asyncio.FIRST_COMPLETED)
                if staying.done():
                    staying.result()
                printer.done.result()
            finally:
                staying.cancel()

    asyncio.run(run())


class RecordPrinter:
    """Prints what comes. `done` is set once it is enough, or cannot be printed."""

    def __init__(self, output: Output, peer: str | None, count: int | None) -> None:
        self._output = output
        self._peer = peer
        self._left = count
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def receive(self, sender: str, data: Data) -> None:
        """Print and flush records."""
        if self.done.done() or (self._peer and sender != self._peer):
            raise NotStored
        try:
            self._print(sender, data)
        except OSError as error:
            self.done.set_exception(error)
            raise NotStored from error
        if self._left is not None:
            self._left -= len(data)
            if self._left <= 0:
                self.done.set_result(None)

    def _print(self, sender: str, data: Data) -> None:
        for series in data.records:
            for time, value in series.values.items():
                if self._output.as_json:
                    self._output.line(
                        {
                            "time": utc(time),
                            "identifier": series.name,
                            "value": value,
                            "unit": series.unit,
                            "from": sender,
                        }
                    )
                else:
                    self._output.say(
                        _RECORD,
                        time=local(time),
                        series=series.name,
                        value=value,
                        unit=series.unit or "",
                        peer=sender,
                    )


async def _stay(connection: Connection) -> None:
    """Wait as long as the connection may come back. Raises the `NetworkError` that lasts."""
    while True:
        try:
            session = await connection.online(_PATIENCE_SECONDS)
        except NetworkError as problem:
            if problem.lasting:
                raise
            continue
        await session.ended
