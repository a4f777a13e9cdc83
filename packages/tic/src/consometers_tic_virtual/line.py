"""The meter's output as an endless line of transmissions: no I/O, no clock, no sleep."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random

from consometers_tic import Group, Mode, encode_frame

from .faults import Faults
from .linky import Linky

BAUD = {Mode.HISTORIQUE: 1200, Mode.STANDARD: 9600}
BITS_PER_CHARACTER = 10
GAP_S = (0.0167, 0.0334)
"""Between two frames."""
SHORT_FRAMES = 20
"""Sent between two long ones while a three-phase meter is overloaded."""
OVERLOAD_LASTS_S = 60
"""How long they are sent after it."""
SWITCH_S, SWAP_S = 2, 5
"""Silence while the mode is switched, and while another meter is put in."""

_EOT, _CR = b"\x04", b"\r"


@dataclass(frozen=True, slots=True)
class Transmission:
    """What the meter sends from one moment on: a frame, a part of one, or nothing.

    `at` and `seconds` are meter time (Unix) and duration, the gap after it included. `groups` are
    those that were sent whole and true; `sent` are the bytes that left the meter and `data` those
    that arrive. `complete` says that it is a frame from STX to ETX.
    """

    at: float
    seconds: float
    baud: int
    groups: tuple[Group, ...]
    sent: bytes
    data: bytes
    complete: bool


@dataclass(frozen=True, slots=True)
class _Interruption:
    """A silence, and what has changed after it. Without `eot` the frame just breaks off."""

    seconds: float
    eot: bool = True
    then: Callable[[int], None] | None = None


class Line:
    """An iterator over the transmissions of a meter, from `start` (Unix time) on.

    Methods alter what comes next. The same seed and the same calls give the same bytes. Groups of
    a frame are those of its beginning. `at` may be set, to go on at another time.
    """

    def __init__(
        self, linky: Linky, start: float, *, faults: Faults | None = None, seed: int = 1
    ) -> None:
        self.linky = linky
        self.at = start
        self.faults = faults or Faults()
        self._gaps = Random(seed)
        self._chance = Random(seed + 1)
        self._cuts = Random(seed + 2)
        self._interruptions: deque[_Interruption] = deque()
        self._run = self._transmissions()

    def __iter__(self) -> Iterator[Transmission]:
        return self._run

    def __next__(self) -> Transmission:
        return next(self._run)

    @property
    def second(self) -> int:
        """The meter's time."""
        return int(self.at)

    def silence(self, seconds: float) -> None:
        """Cut the next frame with EOT and send nothing for a while."""
        self._interruptions.append(_Interruption(seconds))

    def switch_mode(self, mode: Mode | None = None) -> None:
        """Send in the other mode, or the given one, after an interruption."""
        self._interruptions.append(_Interruption(SWITCH_S, then=partial(self._switch_mode, mode)))

    def swap_meter(self) -> None:
        """Put another meter in: the frame breaks off, and the address and registers are new."""
        self._interruptions.append(_Interruption(SWAP_S, eot=False, then=self.linky.swap))

    def overload(self) -> None:
        self.linky.overload(self.second)

    def relieve(self) -> None:
        self.linky.relieve(self.second)

    def announce_peak(self, notice_s: int = 1800, lasts_s: int = 3600) -> None:
        self.linky.calendar.announce(self.second, notice_s, lasts_s)

    def _switch_mode(self, mode: Mode | None, _second: int) -> None:
        other = Mode.HISTORIQUE if self.linky.mode is Mode.STANDARD else Mode.STANDARD
        self.linky.mode = mode or other

    def _transmissions(self) -> Iterator[Transmission]:
        short_until, shorts = -1, 0
        while True:
            if self._interruptions:
                interruption = self._interruptions.popleft()
                groups = self.linky.frame(self.second)
                yield self._cut(groups, eot=interruption.eot)
                yield self._sent((), b"", interruption.seconds, complete=False)
                if interruption.then is not None:
                    interruption.then(self.second)
                short_until = -1
                continue
            second = self.second
            if self.linky.mode is Mode.HISTORIQUE and self.linky.contract.phases > 1:
                was_short = second <= short_until
                if self.linky.overloaded_phases(second):
                    short_until = second + OVERLOAD_LASTS_S
                if second <= short_until and not was_short:
                    yield self._cut(self.linky.frame(second), eot=True)
                    shorts = SHORT_FRAMES
                    continue
                if second <= short_until and shorts:
                    shorts -= 1
                    yield self._frame(self.linky.short_frame(second))
                    continue
                if second <= short_until:
                    shorts = SHORT_FRAMES
                    yield self._frame(self.linky.frame(second), end=_EOT)
                    continue
            yield self._frame(self.linky.frame(second))
            if self.linky.mode is Mode.STANDARD:
                self.linky.short_message = None

    def _frame(self, groups: tuple[Group, ...], end: bytes = b"") -> Transmission:
        sent = encode_frame(groups) + end
        return self._sent(groups, sent, self._gaps.uniform(*GAP_S), complete=True)

    def _cut(self, groups: tuple[Group, ...], *, eot: bool) -> Transmission:
        """Send a frame up to one of its groups: EOT comes after a whole group, a break does not."""
        whole = self._cuts.randrange(1, len(groups))
        sent = encode_frame(groups[:whole])[:-1]
        if eot:
            sent += _EOT
        else:
            broken = encode_frame(groups[whole : whole + 1])[1:-1]
            sent += broken[: self._cuts.randrange(1, broken.index(_CR))]
        return self._sent(groups[:whole], sent, self._gaps.uniform(*GAP_S), complete=False)

    def _sent(
        self, groups: tuple[Group, ...], sent: bytes, pause_s: float, *, complete: bool
    ) -> Transmission:
        baud = BAUD[self.linky.mode]
        seconds = len(sent) * BITS_PER_CHARACTER / baud + pause_s
        at = self.at
        self.at += seconds
        data = self.faults.apply(sent, self._chance)
        return Transmission(at, seconds, baud, groups, sent, data, complete)
