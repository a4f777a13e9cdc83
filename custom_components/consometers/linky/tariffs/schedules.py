"""The tariff that comes next, by the supplier's calendar.

A meter sends the schedule of tomorrow, and never that of today: what it sent yesterday is today's.
Source: Enedis-NOI-CPT_54E §6.2.3, PJOURF+1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from ...tic import PARIS, schedule

SCHEDULE_SETTLES_S: Final = 20.0
"""At midnight a lost group keeps a former schedule beside the new date: see `TARIFF_SETTLES_S`."""
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Change:
    """The moment at which another index of the supplier begins to count."""

    at: datetime
    register: str


class Schedules:
    """Remembers the schedules of today and tomorrow, as the meter sends them."""

    def __init__(self, stored: Mapping[str, str]) -> None:
        """Start with the schedules of the last time, by their days."""
        self.stored = dict(stored)
        self._latest: tuple[date, str] | None = None
        self._since = 0.0

    def learn(self, now: datetime, tomorrow: str, at: float) -> bool:
        """Take the schedule of the day after `now`, and return whether it is news."""
        today = now.astimezone(PARIS).date()
        if (today, tomorrow) != self._latest:
            self._latest, self._since = (today, tomorrow), at
        day = (today + _DAY).isoformat()
        if self.stored.get(day) == tomorrow or at - self._since < SCHEDULE_SETTLES_S:
            return False
        former = {each: self.stored[each] for each in (today.isoformat(),) if each in self.stored}
        self.stored = {**former, day: tomorrow}
        return True

    def forget(self) -> None:
        """Forget the schedules of a meter that was replaced."""
        self.stored, self._latest = {}, None

    def next_change(self, now: datetime, running: str) -> Change | None:
        """Return the next change; None unless the schedule agrees with the index that runs."""
        now = now.astimezone(PARIS)
        slots = [
            (datetime.combine(day, slot.start, PARIS), f"EASF{slot.index:02}")
            for day in (now.date(), now.date() + _DAY)
            for slot in schedule(self.stored.get(day.isoformat(), "")) or ()
            if slot.index is not None
        ]
        past = [register for start, register in slots if start <= now]
        if past[-1:] != [running]:
            return None
        coming = (Change(start, register) for start, register in slots if start > now)
        return next((change for change in coming if change.register != running), None)
