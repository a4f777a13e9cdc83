"""New records, printed as they come, and acknowledged once they are."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import signal

import pytest

from consometers_quoalise import Data
from consometers_quoalise_network.errors import NotAcknowledged
from demo.servers.prosody import Prosody
from testing.commands.fixtures import Start, ended
from testing.commands.quoalise import CommandReader
from testing.run import DEADLINE_S
from testing.xmpp.answerers import SERIES, START, records
from testing.xmpp.fixtures import MakeNode


@asynccontextmanager
async def listening(
    start: Start, reader: CommandReader, *arguments: object
) -> AsyncIterator[Process]:
    """Someone who listens, and is online."""
    process = await start("listen", *reader.options, *arguments)
    assert process.stderr is not None
    try:
        if "--json" not in arguments:
            async with asyncio.timeout(DEADLINE_S):
                assert b"Listening as" in await process.stderr.readline()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def push(reader: CommandReader, data: Data, seconds: float = DEADLINE_S) -> None:
    await reader.node.pushing.push(reader.jid, data, seconds=seconds)


@pytest.mark.cold
async def test_records_are_printed_and_then_acknowledged(
    reader: CommandReader, start: Start
) -> None:
    async with listening(start, reader) as process:
        assert process.stdout is not None
        await push(reader, records(START, 2))
        line = (await asyncio.wait_for(process.stdout.readline(), DEADLINE_S)).decode()
        assert line == f"2026-01-01 01:00+01:00  {SERIES}  0 W  ({reader.peer})\n"
        await asyncio.wait_for(process.stdout.readline(), DEADLINE_S)
        process.send_signal(signal.SIGINT)
        assert (await ended(process)).status == 130


async def test_listen_prints_json_lines_up_to_a_count(reader: CommandReader, start: Start) -> None:
    async with listening(start, reader, "--json", "--count", 3) as process:
        # What comes before it is online waits at the server.
        await push(reader, records(START, 2))
        await push(reader, records(START, 2))
        result = await ended(process)
    assert (result.status, result.err) == (0, "")
    assert len(result.lines) == 4
    assert result.lines[0] == {
        "time": "2026-01-01T00:00:00+00:00",
        "identifier": str(SERIES),
        "value": 0,
        "unit": "W",
        "from": reader.peer,
    }


async def test_records_of_others_are_neither_printed_nor_acknowledged(
    reader: CommandReader, start: Start, server: Prosody, new_node: MakeNode
) -> None:
    other = await new_node(server)
    async with listening(start, reader, "--from", reader.peer, "--count", 1) as process:
        with pytest.raises(NotAcknowledged):
            await other.pushing.push(reader.jid, records(START, 1), seconds=2)
        await push(reader, records(START, 1))
        result = await ended(process)
    assert result.status == 0
    assert reader.peer in result.out
    assert other.connection.stream.boundjid.bare not in result.out


@pytest.mark.cold
async def test_records_that_cannot_be_printed_are_not_acknowledged(
    reader: CommandReader, start: Start
) -> None:
    async with listening(start, reader) as process:
        transport = process._transport.get_pipe_transport(1)  # type: ignore[attr-defined]
        transport.close()
        with pytest.raises(NotAcknowledged):
            await push(reader, records(START, 1), seconds=3)
        async with asyncio.timeout(DEADLINE_S):
            assert await process.wait() == 1
        assert process.stderr is not None
        assert await process.stderr.read() == b""


async def test_listen_reconnects_after_the_server_restarts(
    reader: CommandReader, start: Start
) -> None:
    async with listening(start, reader, "--json", "--count", 2) as process:
        await push(reader, records(START, 1))
        reader.server.stop()
        reader.server.start()
        await push(reader, records(START, 1))
        result = await ended(process)
    assert result.status == 0
    assert [line["value"] for line in result.lines] == [0, 0]
