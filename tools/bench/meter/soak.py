"""script/bench soak: hours of meter time on a bad line, and nothing wrong shown.

The virtual meter goes through every trouble of the field, one after the other at random: noise,
lost bytes and bursts, silences, mode switches, meter swaps, overloads, a degraded clock. What is
believed after each read is held against what the meter really sent in the last seconds.
"""

import argparse
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from consometers_tic import Mode
from consometers_tic_virtual import Contract, Faults, Line, Linky, Option
from custom_components.consometers.linky.state import LinkyState
from custom_components.consometers.tic import Kind

from .meters import Key, key_of

RECENT_S, RECENT_SENT = 30.0, 4
"""What is shown must have been sent no longer ago than the silence after which nothing is shown any
more, or be one of the last that were sent: in an overload most labels come every 15 s only."""
CALM_S, TROUBLE_S = (20.0, 90.0), (5.0, 60.0)
READ_BYTES = (1, 400)

_START = 1_790_000_000.0
METERS = (
    (Mode.STANDARD, Contract(option=Option.TEMPO)),
    (Mode.STANDARD, Contract(producer=True)),
    (Mode.STANDARD, Contract(option=Option.HC, phases=3, reference_kva=18)),
    (Mode.HISTORIQUE, Contract(option=Option.TEMPO)),
    (Mode.HISTORIQUE, Contract(option=Option.HC, phases=3, reference_kva=18)),
)
_LINE_FAULTS = (
    Faults(noise=0.0005),
    Faults(noise=0.01),
    Faults(lost=0.002),
    Faults(lost_bursts=0.001),
    Faults(noise=0.002, lost=0.001, lost_bursts=0.0002),
)


@dataclass
class Figures:
    """What a soak counts. Times are seconds of meter time."""

    seconds: float = 0.0
    frames: int = 0
    """Sent whole."""
    heard: int = 0
    """Of which something was understood, whole or cut."""
    groups: int = 0
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    shown: int = 0
    wrong: list[str] = field(default_factory=list)
    longest_recovery_s: float = 0.0


class Soak:
    """One meter on a bad line, and one reader of it."""

    def __init__(self, mode: Mode, contract: Contract, seed: int) -> None:
        self.figures = Figures()
        self._chance = Random(seed)
        self._line = Line(Linky(contract=contract, mode=mode, seed=seed), _START, seed=seed)
        self._state = LinkyState()
        self._sent_at: dict[Key, float] = {}
        self._last_sent: dict[str, deque[Key]] = {}
        self._recovering_since: float | None = None

    def run(self, seconds: float) -> Figures:
        """Advance the meter, calm and trouble in turn."""
        trouble = self._calm_and_trouble()
        turn_at = next(trouble)
        for sent in self._line:
            for group in sent.groups:
                key = key_of(group)
                self._sent_at[key] = sent.at + sent.seconds
                self._last_sent.setdefault(key[0], deque(maxlen=RECENT_SENT)).append(key)
            self.figures.frames += sent.complete
            self.figures.groups += len(sent.groups)
            self._read(sent.data, sent.at + sent.seconds)
            if sent.at >= _START + seconds:
                break
            if sent.at >= turn_at:
                turn_at = next(trouble)
        counters = self._state.decoder.counters
        self.figures.seconds = seconds
        self.figures.heard = counters.frames
        self.figures.accepted = counters.groups
        self.figures.refused.update({str(k): n for k, n in counters.rejected.items() if n})
        return self.figures

    def _calm_and_trouble(self) -> Iterator[float]:
        """Yield the meter time of the next turn; at each the line changes."""
        line, chance = self._line, self._chance
        while True:
            line.faults = Faults()
            line.linky.clock_degraded = False
            line.relieve()
            self._recovering_since = line.at
            yield line.at + chance.uniform(*CALM_S)
            chance.choice(
                (
                    self._bad_line,
                    self._bad_line,
                    self._bad_line,
                    lambda: line.silence(chance.uniform(1, 60)),
                    line.switch_mode,
                    line.swap_meter,
                    line.overload,
                    self._degrade_clock,
                )
            )()
            yield line.at + chance.uniform(*TROUBLE_S)

    def _bad_line(self) -> None:
        self._line.faults = self._chance.choice(_LINE_FAULTS)

    def _degrade_clock(self) -> None:
        self._line.linky.clock_degraded = True

    def _read(self, data: bytes, at: float) -> None:
        """Read as a port is read, in pieces of any size."""
        while data:
            size = self._chance.randint(*READ_BYTES)
            piece, data = data[:size], data[size:]
            self._state.feed(piece, at)
        if self._state.received_at is None or at - self._state.received_at >= RECENT_S:
            self._state.forget()
        self._check(at)

    def _check(self, at: float) -> None:
        readings = self._state.meter.readings
        for name, reading in readings.items():
            self.figures.shown += 1
            group = reading.group
            key = group.label.name, group.raw, group.raw_horodate
            # A very short message is sent once, and stands.
            if not self._is_true(key, at) and group.label.kind is not Kind.ONCE:
                self.figures.wrong.append(f"{name} {group.raw!r} at {at - _START:.0f} s")
        if self._recovering_since is not None and self._state.identified:
            since = max(self._recovering_since, _START)
            recovered = all(
                name in readings and readings[name].at >= since for name in _measures(self._line)
            )
            if recovered:
                took = at - since
                self.figures.longest_recovery_s = max(self.figures.longest_recovery_s, took)
                self._recovering_since = None

    def _is_true(self, key: Key, at: float) -> bool:
        return self._sent_at.get(key, 0.0) >= at - RECENT_S or key in self._last_sent[key[0]]


def _measures(line: Line) -> tuple[str, ...]:
    """Return labels that are in every long frame and differ from frame to frame."""
    if line.linky.mode is Mode.STANDARD:
        return ("EAST", "SINSTS", "IRMS1")
    return ("PAPP",)


def main(arguments: list[str]) -> int:
    """Run the meters one after the other, print the figures; 1 if something wrong was shown."""
    parser = argparse.ArgumentParser(prog="script/bench soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0, help="meter time, for each meter")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    wrong = 0
    for mode, contract in METERS:
        figures = Soak(mode, contract, options.seed).run(3600 * options.hours)
        wrong += len(figures.wrong)
        refused = ", ".join(f"{reason} {n}" for reason, n in figures.refused.items())
        print(
            f"{mode} {contract.option}, {contract.phases} phase(s), {options.hours:g} h:"
            f" {figures.frames} frames sent, {figures.heard} heard;"
            f" {figures.accepted} of {figures.groups} groups accepted, refused: {refused};"
            f" {figures.shown} values shown, wrong: {len(figures.wrong)};"
            f" longest recovery {figures.longest_recovery_s:.1f} s"
        )
        for line in figures.wrong[:10]:
            print("  wrong:", line)
    return 1 if wrong else 0
