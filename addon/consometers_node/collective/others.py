"""The most that one member has, looked up among all: only where whoever had it has less now.

What changed in one transaction is looked at together, month by month and some members at a time.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Direction, Interval
from ..store.collective_tables import GroupId, MemberId
from ..store.parts import members_in
from ..store.sums import SumKey, most_of_days
from .calendar import days_of, stretches
from .held import hold
from .parts import part

_AT_ONCE = 1_000
"""Blocks that are looked at together."""
_NOTHING_AROUND = timedelta()


@dataclass(frozen=True, slots=True)
class Fallen:
    """Some places of a row, and whose parts in them are known."""

    places: Sequence[int]
    known: Collection[MemberId]


type _Whose = tuple[GroupId, Direction, str, date]
"""The members of a kind in a group in a month, and what they tell in a direction."""


async def most_of_others(
    connection: AsyncConnection, fallen: Mapping[SumKey, Fallen], time_zone: str
) -> dict[SumKey, dict[int, int]]:
    """Give the most that one of the others has in each of these places."""
    found = {key: dict.fromkeys(of.places, 0) for key, of in fallen.items()}
    wanted: dict[_Whose, dict[SumKey, list[int]]] = {}
    for key, of in fallen.items():
        if key.interval is Interval.P1D:
            days = {days_of(key.day)[place]: place for place in of.places}
            for day, most in (await most_of_days(connection, key, days)).items():
                found[key][days[day]] = most
            continue
        for month, first, end in stretches(time_zone, key.interval, key.day):
            inside = [place for place in of.places if first <= place < end]
            if inside:
                whose = key.group, key.direction, key.kind, month
                wanted.setdefault(whose, {})[key] = inside
    for whose, rows in wanted.items():
        await _look(connection, whose, rows, fallen, found)
    return found


async def _look(
    connection: AsyncConnection,
    whose: _Whose,
    rows: Mapping[SumKey, Sequence[int]],
    fallen: Mapping[SumKey, Fallen],
    found: Mapping[SumKey, dict[int, int]],
) -> None:
    group, direction, kind, month = whose
    days = {key.day for key in rows}
    limit = max(1, _AT_ONCE // len(days))
    last: MemberId | None = None
    while members := await members_in(connection, group, kind, month, after=last, limit=limit):
        last = members[-1]
        held = await hold(
            connection,
            {(member, direction): days for member in members},
            dict.fromkeys(members, kind),
            around=_NOTHING_AROUND,
        )
        for member in members:
            sources = held.before((member, direction))
            for key, places in rows.items():
                if member not in fallen[key].known:
                    values = part(sources, key.interval, key.day).values
                    most = found[key]
                    for place in places:
                        most[place] = max(most[place], values[place])
