"""What to believe of a meter, from frames of which a few hold an error that no check can see.

The checksum has 6 bits: of the groups that noise alters, a few pass. So one reading is never
enough. What is repeated is believed when it was read twice the same; a register when two readings
in a row agree with what a meter can count in the time between; a measure as the median of three.
Each costs one frame of delay, and what is believed was always really sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .catalogue import ADDRESS_LABELS, CATALOGUE, Kind
from .decoder import Frame
from .group import Group
from .values import Mode

MAX_POWER_W = 70_000
"""More than any meter of this kind can count: three phases of 90 A at 253 V."""
READINGS_TO_DECREASE = 3
"""Readings in a row that agree before a register is believed to have gone backwards."""
FRAMES_TO_FORGET = 3
"""Whole frames without a label after which its last reading no longer holds."""

# A frame with this label is a long one: what it does not have, the meter does not send now.
_LONG_FRAME = {Mode.HISTORIQUE: "PTEC", Mode.STANDARD: "STGE"}
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

    Another meter in its place, or another mode, starts it anew.
    """

    def __init__(self) -> None:
        """Start with nothing believed."""
        self._readings: dict[str, Reading] = {}
        self._pending: dict[str, list[Reading]] = {}
        self._absent: dict[str, int] = {}
        self._mode: Mode | None = None
        self._address: str | None = None
        self.readings: Mapping[str, Reading] = MappingProxyType(self._readings)

    @property
    def mode(self) -> Mode | None:
        """The mode of the meter, once its address is believed."""
        return self._mode

    @property
    def address(self) -> str | None:
        """The 12 digits of its address (personal data), once believed."""
        return self._address

    def update(self, frame: Frame, at: float) -> set[str]:
        """Take a frame that came at `at` seconds; give the labels whose believed reading changed.

        A register or measure that is read again counts as changed, even if its value is the same.
        """
        changed = self._identify(frame, at)
        for group in frame.groups.values():
            name = group.label.same_as or group.label.name
            pending = self._pending.setdefault(name, [])
            pending.append(Reading(group, at))
            former = self._readings.get(name)
            believed = _BELIEVE[group.label.kind](pending, former)
            if believed is not None and believed is not former:
                self._readings[name] = believed
                changed.add(name)
        return changed | self._forget(frame)

    def _identify(self, frame: Frame, at: float) -> set[str]:
        """Start anew when another address, or the address in another mode, was read twice."""
        name = ADDRESS_LABELS[frame.mode]
        group = frame.groups.get(name)
        if group is None or (group.raw == self._address and frame.mode is self._mode):
            return set()
        earlier = self._pending.get(name)
        if not earlier or earlier[-1].group.raw != group.raw:
            return set()
        gone = set(self._readings)
        self._readings.clear()
        self._absent.clear()
        self._pending = {name: [earlier[-1]]}
        self._mode, self._address = frame.mode, group.raw
        return gone

    def _forget(self, frame: Frame) -> set[str]:
        if not frame.correct or _LONG_FRAME[frame.mode] not in frame.groups:
            return set()
        here = {group.label.same_as or name for name, group in frame.groups.items()}
        gone = set()
        for name, reading in self._readings.items():
            if name in here or reading.group.label.kind is Kind.ONCE:
                self._absent.pop(name, None)
                continue
            self._absent[name] = self._absent.get(name, 0) + 1
            if self._absent[name] >= FRAMES_TO_FORGET:
                gone.add(name)
        for name in gone:
            del self._readings[name], self._absent[name]
            self._pending.pop(name, None)
        return gone


def energy_drawn_wh(readings: Mapping[str, Reading]) -> int | None:
    """Give all the energy drawn, Wh, in either mode; None until every register of it is known.

    In historique mode it is the sum of the registers of the contract, so that the total goes on
    when the mode changes.
    """
    if total := readings.get("EAST"):
        return total.number
    option = readings.get("OPTARIF")
    if option is None:
        return None
    names = _REGISTERS_OF_OPTION.get(option.group.raw[:3], ())
    if not names or any(name not in readings for name in names):
        return None
    return sum(readings[name].number for name in names)


_REGISTERS_OF_OPTION = {
    "BAS": ("BASE",),
    "HC.": ("HCHC", "HCHP"),
    "EJP": ("EJPHN", "EJPHPM"),
    "BBR": tuple(name for name in CATALOGUE[Mode.HISTORIQUE] if name.startswith("BBRH")),
}


def _believe_steady(pending: list[Reading], believed: Reading | None) -> Reading | None:
    if len(pending) < 2:
        return None
    earlier, latest = pending[-2:]
    del pending[:-1]
    if _sent(earlier) != _sent(latest):
        return None
    return believed if believed is not None and _sent(believed) == _sent(latest) else latest


def _sent(reading: Reading) -> tuple[str, str | None]:
    return reading.group.raw, reading.group.raw_horodate


def _believe_measure(pending: list[Reading], _believed: Reading | None) -> Reading | None:
    if len(pending) < _MEDIAN_OF:
        return None
    del pending[:-_MEDIAN_OF]
    return sorted(pending, key=lambda reading: reading.number)[_MEDIAN_OF // 2]


def _believe_register(pending: list[Reading], believed: Reading | None) -> Reading | None:
    """Give the reading before the latest, if both can follow each other."""
    if len(pending) < 2:
        return None
    if not _follows(pending[-2], pending[-1]):
        del pending[:-1]
        return None
    del pending[:-READINGS_TO_DECREASE]
    candidate = pending[-2]
    if (
        believed is not None
        and candidate.number < believed.number
        and len(pending) < READINGS_TO_DECREASE
    ):
        return None
    return candidate


def _follows(earlier: Reading, later: Reading) -> bool:
    most = 1 + MAX_POWER_W * (later.at - earlier.at) / 3600
    return 0 <= later.number - earlier.number <= most


def _believe_latest(pending: list[Reading], _believed: Reading | None) -> Reading | None:
    latest = pending[-1]
    pending.clear()
    return latest


_BELIEVE = {
    Kind.STEADY: _believe_steady,
    Kind.MEASURE: _believe_measure,
    Kind.REGISTER: _believe_register,
    Kind.CLOCK: _believe_latest,
    Kind.ONCE: _believe_latest,
}
