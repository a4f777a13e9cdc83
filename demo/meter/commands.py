"""What can be asked of a running meter, one command a line: a word, and perhaps numbers or text."""

from custom_components.consometers.tic import Mode
from demo.commands import Command, Commands, number

from .virtual import VirtualLinky


def _switch(linky: VirtualLinky, words: list[str]) -> None:
    linky.switch_mode(Mode(words[0]) if words else None)


COMMANDS: Commands[VirtualLinky] = Commands(
    {
        "noise": Command(
            "noise [RATE]", "alter bytes", lambda linky, words: linky.noise(number(words, 0.001))
        ),
        "lose": Command(
            "lose [RATE]", "lose bytes", lambda linky, words: linky.lose_bytes(number(words, 0.001))
        ),
        "bursts": Command(
            "bursts [RATE]",
            "lose bursts of bytes",
            lambda linky, words: linky.lose_bursts(number(words, 0.0002)),
        ),
        "clean": Command("clean", "no more of these three", lambda linky, _: linky.no_faults()),
        "silence": Command(
            "silence [S]",
            "EOT, then nothing",
            lambda linky, words: linky.silence(number(words, 20)),
        ),
        "unplug": Command("unplug", "pull the dongle out", lambda linky, _: linky.unplug()),
        "plug": Command("plug", "put it in again", lambda linky, _: linky.plug()),
        "mode": Command("mode [historique|standard]", "switch to that mode or the other", _switch),
        "swap": Command("swap", "put another meter in", lambda linky, _: linky.swap_meter()),
        "overload": Command(
            "overload", "draw too much: ADPS, ADIR, STGE", lambda linky, _: linky.overload()
        ),
        "relieve": Command("relieve", "no longer", lambda linky, _: linky.relieve()),
        "degrade": Command(
            "degrade", "the clock is not to be trusted", lambda linky, _: linky.degrade_clock()
        ),
        "mend": Command(
            "mend", "it is again", lambda linky, _: linky.degrade_clock(degraded=False)
        ),
        "message": Command(
            "message [TEXT]",
            "show MSG1, or the usual one",
            lambda linky, words: linky.message(" ".join(words)) if words else linky.message(),
        ),
        "shout": Command(
            "shout TEXT",
            "send MSG2, once",
            lambda linky, words: linky.short_message(" ".join(words)),
        ),
        "peak": Command(
            "peak [NOTICE_MIN] [MIN]",
            "announce a mobile peak",
            lambda linky, words: linky.announce_peak(
                round(60 * number(words, 30)), round(60 * number(words, 60, 1))
            ),
        ),
    }
)
