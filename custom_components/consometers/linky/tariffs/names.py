"""The supplier's names of its indexes, which the meter sends while each runs."""

from collections.abc import Collection, Mapping
from typing import Final

TARIFF_SETTLES_S: Final = 20.0
"""A frame that spans the end of a tariff has the name of one and the index of the other, and noise
may keep one of them back: only what stays together for so long belongs together."""


_PEAK, _OFF_PEAK = "HEURE PLEINE", "HEURE CREUSE"
_OTHER: Final = {_PEAK: _OFF_PEAK, _OFF_PEAK: _PEAK}
_PEAK_AND_OFF_PEAK: Final = "H PLEINE/CREUSE"
"""The calendar that has those two tariffs."""


def other_of_two(
    names: Mapping[str, str], contract: str | None, registers: Collection[str]
) -> Mapping[str, str]:
    """Return the names of indexes, with that of the second of two, which has not run yet."""
    if contract != _PEAK_AND_OFF_PEAK or len(registers) != 2 or len(names) != 1:
        return names
    ((running, label),) = names.items()
    others = {*registers} - {running}
    if len(others) != 1 or label not in _OTHER:
        return names
    return {**names, others.pop(): _OTHER[label]}


class Tariffs:
    """Remembers the name of each index."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """Start with the names of the last time."""
        self.names = dict(names)
        self._running: tuple[str, str] | None = None
        self._since = 0.0

    def learn(self, register: str, label: str, at: float, *, at_once: bool) -> bool:
        """Take the index that runs, and return whether its name is new.

        A first name is believed `at_once`; another has to settle.
        """
        if (register, label) != self._running:
            self._running, self._since = (register, label), at
        former = self.names.get(register)
        is_sure = (former is None and at_once) or at - self._since >= TARIFF_SETTLES_S
        if former == label or not is_sure:
            return False
        self.names[register] = label
        return True
