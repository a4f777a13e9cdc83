"""What a person may ask of a thing that runs, one command a line: a word, and what follows it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass


class CommandError(Exception):
    """The command makes no sense. The message tells the person why."""


type Run[T] = Callable[[T, list[str]], Awaitable[None] | None]


@dataclass(frozen=True, slots=True)
class Command[T]:
    usage: str
    meaning: str
    run: Run[T]


class Commands[T]:
    """The commands that one kind of thing obeys, by their first word."""

    def __init__(self, table: Mapping[str, Command[T]]) -> None:
        self._table = table

    def describe(self) -> str:
        """Return all commands and what they do."""
        commands = self._table.values()
        width = 2 + max(len(command.usage) for command in commands)
        return "\n".join(f"  {c.usage:{width}}{c.meaning}" for c in commands)

    def of[U](self, part: Callable[[U], T]) -> dict[str, Command[U]]:
        """Return the same commands to something of which such a thing is a part."""

        def on_part(run: Run[T]) -> Run[U]:
            return lambda whole, words: run(part(whole), words)

        return {
            word: Command(command.usage, command.meaning, on_part(command.run))
            for word, command in self._table.items()
        }

    async def obey(self, thing: T, line: str) -> None:
        """Do what one line says.

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


def number(words: list[str], default: float, place: int = 0) -> float:
    """Return the number at a place of what follows a command.

    Raises:
        ValueError: it is none.
    """
    return float(words[place]) if len(words) > place else default
