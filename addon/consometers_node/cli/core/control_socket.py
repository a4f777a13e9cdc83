"""Local control socket: wake and status.

The node that runs listens on a socket in its folder, which only its user may open. A command that
changed the database rings; `status` asks. Where nothing listens, nothing runs: what was changed
is found at the next start.

    → {"ask": "look-again"}                      ← {}
    → {"ask": "status", "language": "fr"}        ← {"account": …}
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
import json
import os
from pathlib import Path
from typing import cast

from consometers_node.i18n.text import text

from .errors import CliError
from .locale import language
from .output import Json

_SOCKET = "node.sock"
_SECONDS = 5
_MAX_BYTES = 1 << 20
_LONGEST = 103
"""Bytes of a socket's path, on any Unix."""

_ALREADY_RUNS = text("The node of this folder is already running.")
_NO_ROOM = text("The path of the node's folder is too long: choose another one with --data.")

type Status = Mapping[str, Json]


@asynccontextmanager
async def listening(
    folder: Path, look_again: Callable[[], None], status: Callable[[str], Status]
) -> AsyncIterator[None]:
    """Listen in a node's folder as long as it is entered. Raises `CliError` where that cannot be.

    `status` is asked when somebody asks, in the language of that person.
    """
    socket = folder / _SOCKET
    if len(os.fsencode(socket)) > _LONGEST:
        raise CliError("no-room", _NO_ROOM)
    if await ask(folder, "status") is not None:
        raise CliError("already-runs", _ALREADY_RUNS)  # Two would send everything twice.
    await asyncio.to_thread(socket.unlink, missing_ok=True)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ValueError, TimeoutError):
            async with asyncio.timeout(_SECONDS):
                asked = json.loads(await reader.readline())
                reply: Status = {}
                match asked:
                    case {"ask": "look-again"}:
                        look_again()
                    case {"ask": "status", "language": str(spoken)}:
                        reply = status(spoken)
                    case _:
                        pass
                writer.write(json.dumps(reply).encode() + b"\n")
                await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(answer, socket, limit=_MAX_BYTES)
    try:
        await asyncio.to_thread(socket.chmod, 0o600)
        yield
    finally:
        # The socket stays, for the next one to take: it may be another's by now.
        server.close()


async def wake(folder: Path) -> bool:
    """Wake the node of a folder. Return whether one is running."""
    return await ask(folder, "look-again") is not None


async def ask(folder: Path, what: str) -> Status | None:
    """Return the answer of the node of a folder; None if none runs."""
    try:
        async with asyncio.timeout(_SECONDS):
            reader, writer = await asyncio.open_unix_connection(folder / _SOCKET, limit=_MAX_BYTES)
            try:
                asked = {"ask": what, "language": language()}
                writer.write(json.dumps(asked).encode() + b"\n")
                answer = await reader.readline()
            finally:
                writer.close()
        return cast(Status, json.loads(answer)) if answer else None
    except OSError, ValueError, TimeoutError:
        return None
