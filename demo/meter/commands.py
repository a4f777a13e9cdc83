"""What can be asked of a running meter, one command a line: a word, and perhaps numbers or text."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from custom_components.consometers.tic import Mode

from .virtual import VirtualLinky


class CommandError(Exception):
    """The command makes no sense. The message tells the person why."""


@dataclass(frozen=True, slots=True)
class _Command:
    usage: str
    meaning: str
    run: Callable[[VirtualLinky, list[str]], Awaitable[None] | None]


def _number(words: list[str], default: float, place: int = 0) -> float:
    return float(words[place]) if len(words) > place else default


def _switch(linky: VirtualLinky, words: list[str]) -> None:
    linky.switch_mode(Mode(words[0]) if words else None)


_COMMANDS = {
    "noise": _Command(
        "noise [RATE]", "alter bytes", lambda linky, words: linky.noise(_number(words, 0.001))
    ),
    "lose": _Command(
        "lose [RATE]", "lose bytes", lambda linky, words: linky.lose_bytes(_number(words, 0.001))
    ),
    "bursts": _Command(
        "bursts [RATE]",
        "lose bursts of bytes",
        lambda linky, words: linky.lose_bursts(_number(words, 0.0002)),
    ),
    "clean": _Command("clean", "no more of these three", lambda linky, _: linky.no_faults()),
    "silence": _Command(
        "silence [S]", "EOT, then nothing", lambda linky, words: linky.silence(_number(words, 20))
    ),
    "unplug": _Command("unplug", "pull the dongle out", lambda linky, _: linky.unplug()),
    "plug": _Command("plug", "put it in again", lambda linky, _: linky.plug()),
    "mode": _Command("mode [historique|standard]", "switch to that mode or the other", _switch),
    "swap": _Command("swap", "put another meter in", lambda linky, _: linky.swap_meter()),
    "overload": _Command(
        "overload", "draw too much: ADPS, ADIR, STGE", lambda linky, _: linky.overload()
    ),
    "relieve": _Command("relieve", "no longer", lambda linky, _: linky.relieve()),
    "degrade": _Command(
        "degrade", "the clock is not to be trusted", lambda linky, _: linky.degrade_clock()
    ),
    "mend": _Command("mend", "it is again", lambda linky, _: linky.degrade_clock(degraded=False)),
    "message": _Command(
        "message [TEXT]",
        "show MSG1, or the usual one",
        lambda linky, words: linky.message(" ".join(words)) if words else linky.message(),
    ),
    "shout": _Command(
        "shout TEXT", "send MSG2, once", lambda linky, words: linky.short_message(" ".join(words))
    ),
    "peak": _Command(
        "peak [NOTICE_MIN] [MIN]",
        "announce a mobile peak",
        lambda linky, words: linky.announce_peak(
            round(60 * _number(words, 30)), round(60 * _number(words, 60, 1))
        ),
    ),
}


def describe() -> str:
    """Give all commands and what they do."""
    return "\n".join(f"  {c.usage:28}{c.meaning}" for c in _COMMANDS.values())


async def obey(linky: VirtualLinky, line: str) -> None:
    """Do what one line says.

    Raises:
        CommandError: there is no such command, or what follows it is no number or mode.
    """
    word, *words = line.split() or [""]
    command = _COMMANDS.get(word)
    if command is None:
        raise CommandError(f"There is no command {word!r}. These are:\n{describe()}")
    try:
        done = command.run(linky, words)
    except ValueError as error:
        raise CommandError(f"Usage: {command.usage} ({error})") from error
    if done is not None:
        await done
