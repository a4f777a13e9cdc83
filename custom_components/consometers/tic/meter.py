"""Which readings of a meter to believe, as a few frames hold an error that no check can see.

The checksum has 6 bits: of the groups that noise alters, a few pass. So one reading is never
enough. What is repeated is believed when it was read twice the same, and so is a maximum, or when
it grew from reading to reading; a register when the reading
after it agrees with what a meter can count in the time between; a measure as the median of three;
the clock when it went on as time did. Each costs one frame of delay at most.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from .catalogue import ADDRESS_LABELS, CATALOGUE, LABELS, Kind
from .decoder import Frame
from .group import Group
from .values import Mode

MAX_POWER_W = 70_000
"""More than any meter of this kind can count: three phases of 90 A at 253 V."""
READINGS_TO_BEGIN = 3
"""Readings in a row that agree before a register is believed at first, or to have gone back."""
READINGS_TO_KNOW, READINGS_TO_REPLACE = 2, 3
"""Readings in a row of an address before a meter is known by it, or is another one."""
CLOCK_TOLERANCE_S = 5
"""An alteration that the checksum cannot see moves the clock by 9 s at least: it keeps the sum of
the digits, so one of them is more and another less."""
FRAMES_TO_FORGET = 3
"""Whole frames without a label after which its last reading no longer holds."""

# A frame with this label is a long one: what it does not have, the meter does not send now.
_LONG_FRAME = {Mode.HISTORIQUE: "PTEC", Mode.STANDARD: "STGE"}
_SENT_ONCE = {label.name for label in LABELS if label.kind is Kind.ONCE}
_MEDIAN_OF = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """A group and when it came, in seconds of a monotonic clock."""

    group: Group
    at: float

    @property
    def number(self) -> int:
        """The value, of a register or a measure."""
        value = self.group.value
        if not isinstance(value, int):
            raise TypeError(f"{self.group.label.name} is no number")
        return value


class Meter:
    """The state of one meter: `readings` by label, each one believed.

    Another meter in its place, or another mode, starts it over.
    """

    def __init__(self) -> None:
        """Start with nothing believed."""
        self._readings: dict[str, Reading] = {}
        self._pending: dict[str, list[Reading]] = {}
        self._absent: dict[str, int] = {}
        self._mode: Mode | None = None
        self._address: str | None = None
        self._claim: tuple[str, Mode] | None = None
        self._claims, self._claimed_at = 0, 0.0
        self.readings: Mapping[str, Reading] = MappingProxyType(self._readings)

    @property
    def mode(self) -> Mode | None:
        """The mode of the meter, once its address is believed."""
        return self._mode

    @property
    def address(self) -> str | None:
        """The 12 digits of its address (personal data), once believed."""
        return self._address

    @property
    def heard(self) -> Set[str]:
        """The labels that came lately, whether they are believed or not."""
        return self._pending.keys()

    def update(self, frame: Frame, at: float) -> set[str]:
        """Take a frame that came at `at` seconds; give the labels whose believed reading changed.

        A register or measure that is read again counts as changed, even if its value is the same.
        """
        changed = self._identify(frame, at)
        here = set()
        for sent_as, group in frame.groups.items():
            name, believe = _RULES[sent_as]
            here.add(name)
            former = self._readings.get(name)
            pending = self._pending.setdefault(name, [])
            if pending and pending[-1] is former and former.group is group and believe in _REPEATED:
                continue
            pending.append(Reading(group, at))
            plausible = believe(pending, former)
            if plausible is not None and plausible is not former:
                self._readings[name] = plausible
                changed.add(name)
        for name in self._absent.keys() & here:
            del self._absent[name]
        if frame.correct and _LONG_FRAME[frame.mode] in frame.groups:
            changed |= self._forget(self._pending.keys() - here)
        return changed

    def _identify(self, frame: Frame, at: float) -> set[str]:
        """Start over when another address, or the address in another mode, came often enough.

        What came with that address since it first did is kept for belief.
        """
        group = frame.groups.get(ADDRESS_LABELS[frame.mode])
        if group is None:
            return set()
        claim = (group.raw, frame.mode)
        if claim != self._claim:
            self._claim, self._claims, self._claimed_at = claim, 0, at
        self._claims += 1
        needed = READINGS_TO_KNOW if self._address is None else READINGS_TO_REPLACE
        if claim == (self._address, self._mode) or self._claims < needed:
            return set()
        gone: set[str] = set()
        if self._address is not None:
            gone.update(self._readings)
            self._readings.clear()
            self._absent.clear()
            self._pending = {
                name: [reading for reading in pending if reading.at >= self._claimed_at]
                for name, pending in self._pending.items()
            }
        self._address, self._mode = claim
        return gone

    def _forget(self, absent: set[str]) -> set[str]:
        """Process the labels missing from a long frame; return those that no longer hold."""
        for name in absent - _SENT_ONCE:
            self._absent[name] = self._absent.get(name, 0) + 1
        gone = {name for name, frames in self._absent.items() if frames >= FRAMES_TO_FORGET}
        for name in gone:
            del self._pending[name], self._absent[name]
        return {name for name in gone if self._readings.pop(name, None)}


def energy_drawn_wh(readings: Mapping[str, Reading]) -> int | None:
    """Return all the energy drawn, Wh, in either mode; None until every register of it is known.

    In historique mode it is the sum of the registers of the contract, so that the total goes on
    when the mode changes.
    """
    if total := readings.get("EAST"):
        return total.number
    names = registers_of_contract(readings)
    if not names or any(name not in readings for name in names):
        return None
    return sum(readings[name].number for name in names)


def registers_of_contract(readings: Mapping[str, Reading]) -> tuple[str, ...]:
    """Return the registers of the contract in historique mode; the other has no such set."""
    option = readings.get("OPTARIF")
    return () if option is None else _REGISTERS_OF_OPTION.get(option.group.raw[:3], ())


_REGISTERS_OF_OPTION = {
    "BAS": ("BASE",),
    "HC.": ("HCHC", "HCHP"),
    "EJP": ("EJPHN", "EJPHPM"),
    "BBR": tuple(name for name in CATALOGUE[Mode.HISTORIQUE] if name.startswith("BBRH")),
}


def _believe_steady(pending: list[Reading], former: Reading | None) -> Reading | None:
    if len(pending) < 2:
        return None
    earlier, latest = pending[-2:]
    del pending[:-1]
    if _sent(earlier) != _sent(latest):
        return None
    if former is not None and _sent(former) == _sent(latest):
        pending[0] = former
    return pending[0]


def _believe_maximum(pending: list[Reading], former: Reading | None) -> Reading | None:
    """Return a reading that came twice the same, or the middle one of three that grew."""
    latest = pending[-_MEDIAN_OF:]
    if (steady := _believe_steady(pending, former)) is not None:
        return steady
    pending[:] = latest[1 - _MEDIAN_OF :]
    grew = len(latest) == _MEDIAN_OF and all(_grew(*pair) for pair in pairwise(latest))
    return latest[1] if grew else None


def _grew(earlier: Reading, later: Reading) -> bool:
    before, after = earlier.group.time, later.group.time
    # A degraded clock gives no time.
    later_in_time = before is after if before is None or after is None else before < after
    return later_in_time and earlier.number <= later.number


def _sent(reading: Reading) -> tuple[str, str | None]:
    return reading.group.raw, reading.group.raw_horodate


def _believe_measure(pending: list[Reading], _former: Reading | None) -> Reading | None:
    if len(pending) < _MEDIAN_OF:
        return None
    del pending[:-_MEDIAN_OF]
    return sorted(pending, key=lambda reading: reading.number)[_MEDIAN_OF // 2]


def _believe_register(pending: list[Reading], former: Reading | None) -> Reading | None:
    """Return the reading before the latest, if both can follow each other."""
    if len(pending) < 2:
        return None
    if not _follows(pending[-2], pending[-1]):
        del pending[:-1]
        return None
    del pending[:-READINGS_TO_BEGIN]
    candidate = pending[-2]
    goes_on = former is not None and candidate.number >= former.number
    return candidate if goes_on or len(pending) == READINGS_TO_BEGIN else None


def _follows(earlier: Reading, later: Reading) -> bool:
    most = 1 + MAX_POWER_W * (later.at - earlier.at) / 3600
    return 0 <= later.number - earlier.number <= most


def _believe_clock(pending: list[Reading], _former: Reading | None) -> Reading | None:
    """Return the latest, if it is as much later than the one before as it came later."""
    if len(pending) < 2:
        return None
    earlier, latest = pending[-2:]
    del pending[:-1]
    if earlier.group.time is None or latest.group.time is None:
        return latest if _is_degraded(earlier) and _is_degraded(latest) else None
    passed = (latest.group.time - earlier.group.time).total_seconds()
    return latest if abs(passed - (latest.at - earlier.at)) <= CLOCK_TOLERANCE_S else None


def _is_degraded(reading: Reading) -> bool:
    """Return whether the meter itself does not trust its clock, by the case of the season."""
    return (reading.group.raw_horodate or "")[:1].islower()


def _believe_latest(pending: list[Reading], _former: Reading | None) -> Reading | None:
    latest = pending[-1]
    pending.clear()
    return latest


_BELIEVE = {
    Kind.STEADY: _believe_steady,
    Kind.MAXIMUM: _believe_maximum,
    Kind.MEASURE: _believe_measure,
    Kind.REGISTER: _believe_register,
    Kind.CLOCK: _believe_clock,
    Kind.ONCE: _believe_latest,
}
_REPEATED = (_believe_steady, _believe_maximum)
_RULES = {label.name: (label.same_as or label.name, _BELIEVE[label.kind]) for label in LABELS}
