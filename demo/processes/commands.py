"""Commands for something that runs, one a line: a word, and its arguments."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
import os
import signal
import sys
from threading import Thread


class CommandError(Exception):
    """The command is invalid. The message says why."""


type Run[T] = Callable[[T, list[str]], Awaitable[None] | None]


@dataclass(frozen=True, slots=True)
class Command[T]:
    """A command: its usage, its meaning, its function."""

    usage: str
    meaning: str
    run: Run[T]


class Commands[T]:
    """The commands of one kind of thing, by the first word of their usage."""

    def __init__(self, *commands: Command[T]) -> None:
        self._table = {command.usage.split()[0]: command for command in commands}

    def describe(self) -> str:
        commands = self._table.values()
        width = 2 + max(len(command.usage) for command in commands)
        return "\n".join(f"  {c.usage:{width}}{c.meaning}" for c in commands)

    def of[U](self, part: Callable[[U], T]) -> list[Command[U]]:
        """Return the same commands for something that has such a thing as a part."""

        def on_part(run: Run[T]) -> Run[U]:
            return lambda whole, words: run(part(whole), words)

        return [
            Command(command.usage, command.meaning, on_part(command.run))
            for command in self._table.values()
        ]

    async def obey(self, thing: T, line: str) -> None:
        """Run one line.

        Raises:
            CommandError: there is no such command, or what follows it makes no sense.
        """
        word, *words = line.split() or [""]
        command = self._table.get(word)
        if command is None:
            raise CommandError(f"There is no command {word!r}. These are:\n{self.describe()}")
        try:
            done = command.run(thing, words)
        except ValueError as error:
            raise CommandError(f"Usage: {command.usage} ({error})") from error
        if done is not None:
            await done

    async def obey_lines(self, thing: T, lines: asyncio.Queue[str]) -> None:
        """Run each line on a thing, for ever."""
        while True:
            line = (await lines.get()).strip()
            if line in ("help", "aide"):
                print(self.describe(), flush=True)
            elif line:
                try:
                    await self.obey(thing, line)
                except (CommandError, OSError) as error:
                    print(error, file=sys.stderr, flush=True)

    async def obey_until(
        self, stopped: asyncio.Event, thing: T, lines: asyncio.Queue[str], broken: Awaitable[None]
    ) -> None:
        """Run lines until it is stopped, or until the thing fails: that is raised."""
        works = (self.obey_lines(thing, lines), broken, stopped.wait())
        tasks = [asyncio.ensure_future(work) for work in works]
        ended, running = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in running:
            task.cancel()
        for task in ended:
            task.result()


def stop_signal() -> asyncio.Event:
    """Return what Ctrl-C and SIGTERM set from now on."""
    stopped = asyncio.Event()
    for stop in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(stop, stopped.set)
    return stopped


def number(words: list[str], default: float, place: int = 0) -> float:
    """Return the number at a place of the arguments.

    Raises:
        ValueError: it is none.
    """
    return float(words[place]) if len(words) > place else default


def typed_lines(first: Iterable[str] = ()) -> asyncio.Queue[str]:
    """Yield these lines and those of standard input: a thread reads it, no event loop can."""
    lines: asyncio.Queue[str] = asyncio.Queue()
    for line in first:
        lines.put_nowait(line)
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
