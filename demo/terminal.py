"""What a person types at a program that runs: commands, one a line."""

import asyncio
import os
import sys
from threading import Thread

from demo.commands import CommandError, Commands


def typed_lines() -> asyncio.Queue[str]:
    """Return the lines of standard input, read by a thread: an event loop takes no file."""
    lines: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        pending = b""
        # Not through sys.stdin, whose lock a thread would still hold when the program ends.
        while data := os.read(0, 4096):
            *whole, pending = (pending + data).split(b"\n")
            for line in whole:
                loop.call_soon_threadsafe(lines.put_nowait, line.decode(errors="replace"))

    Thread(target=read, daemon=True).start()
    return lines


async def obey_lines[T](commands: Commands[T], thing: T, lines: asyncio.Queue[str]) -> None:
    """Do to a thing what each line says, for ever."""
    while True:
        line = (await lines.get()).strip()
        if line in ("help", "aide"):
            print(commands.describe(), flush=True)
        elif line:
            try:
                await commands.obey(thing, line)
            except (CommandError, OSError) as error:
                print(error, file=sys.stderr, flush=True)
