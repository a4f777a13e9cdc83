"""The commands of a running meter, one a line: a word, and perhaps numbers or text."""

from consometers_tic import Mode
from consometers_tic_virtual import Faults, VirtualLinky
from consometers_tic_virtual.linky import NO_MESSAGE
from demo.processes.commands import Command, Commands, Run, number


def _fault(name: str, rate: float) -> Run[VirtualLinky]:
    """Return what sets the rate of a fault of the line."""
    return lambda meter, words: setattr(meter.line.faults, name, number(words, rate))


def _degrade(meter: VirtualLinky, *, degraded: bool) -> None:
    meter.linky.clock_degraded = degraded


def _clean(meter: VirtualLinky, _words: list[str]) -> None:
    meter.line.faults = Faults()


def _show(meter: VirtualLinky, words: list[str]) -> None:
    meter.linky.message = _printable(words) if words else NO_MESSAGE


def _shout(meter: VirtualLinky, words: list[str]) -> None:
    meter.linky.short_message = _printable(words)


def _printable(words: list[str]) -> str:
    text = " ".join(words)
    if not (text.isascii() and text.isprintable()):
        raise ValueError("a meter shows no accents")
    return text


COMMANDS = Commands[VirtualLinky](
    Command("noise [RATE]", "alter bytes", _fault("noise", 0.001)),
    Command("lose [RATE]", "lose bytes", _fault("lost", 0.001)),
    Command("bursts [RATE]", "lose bursts of bytes", _fault("lost_bursts", 0.0002)),
    Command("clean", "no more of these three", _clean),
    Command(
        "silence [S]",
        "EOT, then nothing",
        lambda meter, words: meter.line.silence(number(words, 20)),
    ),
    Command("unplug", "pull the dongle out", lambda meter, _: meter.unplug()),
    Command("plug", "put it in again", lambda meter, _: meter.plug()),
    Command(
        "mode [historique|standard]",
        "switch to that mode or the other",
        lambda meter, words: meter.line.switch_mode(Mode(words[0]) if words else None),
    ),
    Command("swap", "put another meter in", lambda meter, _: meter.line.swap_meter()),
    Command("overload", "draw too much: ADPS, ADIR, STGE", lambda meter, _: meter.line.overload()),
    Command("relieve", "no longer", lambda meter, _: meter.line.relieve()),
    Command(
        "degrade", "the clock is not to be trusted", lambda meter, _: _degrade(meter, degraded=True)
    ),
    Command("mend", "it is again", lambda meter, _: _degrade(meter, degraded=False)),
    Command("message [TEXT]", "show MSG1, or the usual one", _show),
    Command("shout TEXT", "send MSG2, once", _shout),
    Command(
        "peak [NOTICE_MIN] [MIN]",
        "announce a mobile peak",
        lambda meter, words: meter.line.announce_peak(
            round(60 * number(words, 30)), round(60 * number(words, 60, 1))
        ),
    ),
)
