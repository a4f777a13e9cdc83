"""The commands of a running inverter."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from demo.processes.commands import Command, Commands, Run, number

from .faults import Night, Scales, State, Stranger
from .inverter import Inverter
from .virtual import VirtualInverter


def _set(name: str, value: Callable[[list[str]], object]) -> Run[VirtualInverter]:
    """Return what sets a fault to the value after the command."""
    return lambda virtual, words: virtual.set_faults(**{name: value(words)})


def _rate(name: str, default: float = 1) -> Run[VirtualInverter]:
    return _set(name, lambda words: number(words, default))


def _each(act: Callable[[Inverter, int, list[str]], None]) -> Run[VirtualInverter]:
    """Return what acts on each inverter, at the second that it is."""

    def run(virtual: VirtualInverter, words: list[str]) -> None:
        for inverter in virtual.inverters:
            act(inverter, virtual.second, words)

    return run


def _first(words: list[str], default: str) -> str:
    return words[0] if words else default


def _zeros(virtual: VirtualInverter, words: list[str]) -> None:
    virtual.set_faults(zeros_until=virtual.second + round(number(words, 30)))


def _set_clock(virtual: VirtualInverter, words: list[str]) -> None:
    virtual.at = datetime.fromisoformat(_first(words, "")).astimezone()


COMMANDS = Commands[VirtualInverter](
    Command(
        "night [refuses|silent|answers]",
        "what it does while it sleeps",
        _set("night", lambda words: Night(_first(words, Night.REFUSES))),
    ),
    Command("zeros [S]", "energy registers are 0 for a while", _zeros),
    Command(
        "dawn [S]",
        "they are, every morning",
        _set("zeros_at_dawn_s", lambda words: round(number(words, 30))),
    ),
    Command("missing [POINT …]", "only these are not implemented", _set("missing", frozenset)),
    Command(
        "without [MODEL …]",
        "only these models are not there",
        _set("without", lambda words: frozenset(map(int, words))),
    ),
    Command(
        "cut [REGISTERS]",
        "end the map in its middle",
        _set("cut", lambda words: round(number(words, 100))),
    ),
    Command(
        "scales [changing|garbage|steady]",
        "what scale factors do",
        _set("scales", lambda words: Scales(_first(words, Scales.CHANGING))),
    ),
    Command("delay [S]", "answer late", _rate("delay_s", 2)),
    Command("silence [RATE]", "do not answer", _rate("silent")),
    Command("busy [RATE]", "refuse: busy", _rate("busy")),
    Command("illegal [RATE]", "refuse: illegal address", _rate("illegal")),
    Command("drop [RATE]", "hang up in mid-answer", _rate("dropped")),
    Command("mistake [RATE]", "answer what was not asked", _rate("mistaken")),
    Command("lonely", "one connection at a time", _set("lonely", lambda _: True)),
    Command(
        "stranger [gateway|silent]",
        "what a wrong unit id gets",
        _set("stranger", lambda words: Stranger(_first(words, Stranger.GATEWAY))),
    ),
    Command("clean", "no more of all these", lambda virtual, _: virtual.no_faults()),
    Command(
        "throttle [PART]",
        "make only a part",
        _each(lambda unit, now, words: unit.limit(now, number(words, 0.3), State.THROTTLED)),
    ),
    Command(
        "fail", "break: make nothing", _each(lambda unit, now, _: unit.limit(now, 0, State.FAULT))
    ),
    Command("off", "switch off", _each(lambda unit, now, _: unit.limit(now, 0, State.OFF))),
    Command("mend", "no longer these three", _each(lambda unit, now, _: unit.free(now))),
    Command(
        "jump [WH]",
        "add to the lifetime energy",
        _each(lambda unit, now, words: unit.jump(now, round(number(words, 100_000)))),
    ),
    Command("restart", "count energy from zero", _each(lambda unit, now, _: unit.restart(now))),
    Command("unplug", "pull the network cable out", lambda virtual, _: virtual.unplug()),
    Command("plug", "put it in again", lambda virtual, _: virtual.plug()),
    Command("clock TIME", "set its time, ISO 8601", _set_clock),
    Command(
        "dump PATH",
        "write the registers to a file",
        lambda virtual, words: virtual.dump(Path(_first(words, "inverter.json"))),
    ),
)
