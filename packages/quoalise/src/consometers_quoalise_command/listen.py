"""New records as they come, acknowledged once they are printed: `listen`."""

from argparse import Namespace
import asyncio

from consometers_quoalise import Data, Number, Records, iso8601
from consometers_quoalise_network import NotStored, Receiving
from consometers_quoalise_network.address import bare
from consometers_quoalise_network.transport import first_of
from consometers_quoalise_xmpp.trial import online

from .account import connection_of
from .output import Output
from .times import local


async def listen(typed: Namespace, output: Output) -> None:
    """Print records until enough have come, or the connection cannot come back."""
    printer = RecordPrinter(output, bare(typed.sender) if typed.sender else None, typed.count)
    connection = connection_of(typed, output)
    Receiving(connection, printer.receive)
    async with online(connection):
        if not output.as_json:
            output.note("listening", jid=typed.account)
        staying = asyncio.ensure_future(connection.stay())
        try:
            await first_of(staying, printer.done)
            if printer.done.done():
                printer.done.result()
            else:
                staying.result()
        finally:
            staying.cancel()


class RecordPrinter:
    """Prints what comes. `done` is set once it is enough, or cannot be printed."""

    def __init__(self, output: Output, peer: str | None, count: int | None) -> None:
        self._output = output
        self._peer = peer
        self._left = count
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def receive(self, sender: str, data: Data) -> None:
        """Print and flush records. Raises `NotStored` for what is not printed."""
        if self.done.done() or (self._peer and sender != self._peer):
            raise NotStored
        try:
            for series in data.records:
                for time, value in series.values.items():
                    self._print(sender, series, time, value)
        except OSError as error:
            self.done.set_exception(error)
            raise NotStored from error
        if self._left is not None:
            self._left -= len(data)
            if self._left <= 0:
                self.done.set_result(None)

    def _print(self, sender: str, series: Records, time: Number, value: Number) -> None:
        if self._output.as_json:
            record = {"time": iso8601.utc(time), "identifier": series.name, "value": value}
            self._output.line({**record, "unit": series.unit, "from": sender})
        else:
            unit = f" {series.unit}" if series.unit else ""
            self._output.text(f"{local(time)}  {series.name}  {value}{unit}  ({sender})")
