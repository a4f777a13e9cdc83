"""What can be asked of a running inverter."""

from datetime import datetime
from pathlib import Path

from demo.commands import Command, Commands, number

from .faults import Night, Scales, Stranger
from .virtual import VirtualInverter


def _first(words: list[str], default: str) -> str:
    return words[0] if words else default


def _set_clock(inverter: VirtualInverter, words: list[str]) -> None:
    inverter.at = datetime.fromisoformat(_first(words, "")).astimezone()


COMMANDS: Commands[VirtualInverter] = Commands(
    {
        "night": Command(
            "night [refuses|silent|answers]",
            "what it does while it sleeps",
            lambda inverter, words: inverter.night(Night(_first(words, Night.REFUSES))),
        ),
        "zeros": Command(
            "zeros [S]",
            "energy registers are 0 for a while",
            lambda inverter, words: inverter.zeros(round(number(words, 30))),
        ),
        "dawn": Command(
            "dawn [S]",
            "they are, every morning",
            lambda inverter, words: inverter.zeros_at_dawn(round(number(words, 30))),
        ),
        "missing": Command(
            "missing [POINT …]",
            "only these are not implemented",
            lambda inverter, words: inverter.missing(frozenset(words)),
        ),
        "without": Command(
            "without [MODEL …]",
            "only these models are not there",
            lambda inverter, words: inverter.without(frozenset(map(int, words))),
        ),
        "cut": Command(
            "cut [REGISTERS]",
            "end the map in its middle",
            lambda inverter, words: inverter.cut(round(number(words, 100))),
        ),
        "scales": Command(
            "scales [changing|garbage|steady]",
            "what scale factors do",
            lambda inverter, words: inverter.scales(Scales(_first(words, Scales.CHANGING))),
        ),
        "delay": Command(
            "delay [S]",
            "answer late",
            lambda inverter, words: inverter.delay(number(words, 2)),
        ),
        "silence": Command(
            "silence [RATE]",
            "do not answer",
            lambda inverter, words: inverter.silence(number(words, 1)),
        ),
        "busy": Command(
            "busy [RATE]",
            "refuse: busy",
            lambda inverter, words: inverter.busy(number(words, 1)),
        ),
        "illegal": Command(
            "illegal [RATE]",
            "refuse: illegal address",
            lambda inverter, words: inverter.refuse_addresses(number(words, 1)),
        ),
        "drop": Command(
            "drop [RATE]",
            "hang up in mid-answer",
            lambda inverter, words: inverter.drop(number(words, 1)),
        ),
        "mistake": Command(
            "mistake [RATE]",
            "answer what was not asked",
            lambda inverter, words: inverter.mistake(number(words, 1)),
        ),
        "lonely": Command(
            "lonely", "one connection at a time", lambda inverter, _: inverter.one_connection()
        ),
        "stranger": Command(
            "stranger [gateway|silent]",
            "what a wrong unit id gets",
            lambda inverter, words: inverter.strangers(Stranger(_first(words, Stranger.GATEWAY))),
        ),
        "clean": Command("clean", "no more of all these", lambda inverter, _: inverter.no_faults()),
        "throttle": Command(
            "throttle [PART]",
            "make only a part",
            lambda inverter, words: inverter.limit(number(words, 0.3)),
        ),
        "fail": Command("fail", "break: make nothing", lambda inverter, _: inverter.fail()),
        "off": Command("off", "switch off", lambda inverter, _: inverter.switch_off()),
        "mend": Command("mend", "no longer these three", lambda inverter, _: inverter.mend()),
        "jump": Command(
            "jump [WH]",
            "add to the lifetime energy",
            lambda inverter, words: inverter.jump(round(number(words, 100_000))),
        ),
        "restart": Command(
            "restart", "count energy from zero", lambda inverter, _: inverter.restart()
        ),
        "unplug": Command(
            "unplug", "pull the network cable out", lambda inverter, _: inverter.unplug()
        ),
        "plug": Command("plug", "put it in again", lambda inverter, _: inverter.plug()),
        "clock": Command("clock TIME", "set its time, ISO 8601", _set_clock),
        "dump": Command(
            "dump PATH",
            "write the registers to a file",
            lambda inverter, words: inverter.dump(Path(_first(words, "inverter.json"))),
        ),
    }
)
