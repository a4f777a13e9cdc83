"""The source of a home's records: a building under the sun, or a recorded year."""

from collections.abc import Iterator
import csv
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Protocol

from consometers_tic_virtual.world import HOUSEHOLD, SCHOOL
from demo.world.hourly import Hour, hours

_SITES = {site.name: site for site in (HOUSEHOLD, SCHOOL)}
_WEEKS = 52 * 7 * 24


class Source(Protocol):
    """Returns energy drawn, injected and produced in hours, counted from 1970."""

    def hours(self, first: int, end: int) -> Iterator[Hour]: ...


@dataclass(frozen=True, slots=True)
class Building:
    """A building that stands under the sun of Lorient."""

    site: str
    kwp: float
    seed: int

    def hours(self, first: int, end: int) -> Iterator[Hour]:
        return hours(_SITES[self.site], self.kwp, self.seed, first, end)


class Recording:
    """A recorded year, over and over: what comes after it repeats 52 weeks later."""

    def __init__(self, file: Path) -> None:
        with file.open(newline="") as recording:
            self._hours = {
                hour.n: hour
                for hour in (Hour(*map(int, row)) for row in list(csv.reader(recording))[1:])
            }
        self._first, self._last = min(self._hours), max(self._hours)

    @staticmethod
    def record(file: Path, recorded: Iterator[Hour]) -> None:
        """Write hours into a file, unless there are some already."""
        if file.exists():
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", newline="") as recording:
            lines = csv.writer(recording)
            lines.writerow(("hour", "drawn_wh", "injected_wh", "made_wh"))
            lines.writerows(astuple(hour) for hour in recorded)

    def hours(self, first: int, end: int) -> Iterator[Hour]:
        for n in range(max(first, self._first), end):
            years = max(0, -((self._last - n) // _WEEKS))
            if (hour := self._hours.get(n - years * _WEEKS)) is not None:
                yield Hour(n, hour.drawn_wh, hour.injected_wh, hour.made_wh)
