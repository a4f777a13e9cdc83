"""Nothing that was published, in any version, tells of fewer homes than it takes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from hypothesis import given, settings, strategies as st

from consometers_node.collective.atoms import Cells, Fresh, Groups, Hour, Standing
from consometers_node.collective.disclosure import (
    NOBODY,
    Agreed,
    ByLaw,
    Cell,
    Publication,
    Reason,
)
from consometers_node.collective.rounds import Looked, Rounds, Row
from consometers_node.series import Direction, Interval
from consometers_node.store.collective_tables import GroupId, MemberId

from .attack import Attacker, Unknown

NEED = 3
TOP, *AREAS = (GroupId(number) for number in range(4))
HOURS = 3
DAY = "day"
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
RULES = [Publication(basis=one) for one in (Agreed(NEED), Agreed(5), ByLaw())]

type Place = int | str
type Parts = dict[Place, int | None]


class Town:
    """Homes in areas, and what was released of three hours and of the day that these make."""

    def __init__(self, areas: list[int], dailies: int) -> None:
        self.area = dict(enumerate(AREAS[area - 1] if area else None for area in areas))
        self.daily = set(range(dailies))
        self.parts: dict[int, Parts] = {home: {} for home in self.area}
        self.before: dict[int, Parts] = {home: {} for home in self.area}
        self.counted: set[tuple[int, Place]] = set()
        self.gone: set[int] = set()
        self.publication = RULES[0]
        self.at = MIDNIGHT
        self.changed_at = MIDNIGHT
        self.hours = {group: Standing.new(HOURS) for group in (TOP, *AREAS)}
        self.days = {group: Standing.new(1) for group in (TOP, *AREAS)}
        self.inside: dict[tuple[GroupId, Place], dict[int, int]] = {}
        """What of whom is in what was released."""
        self.more: dict[GroupId, Counter[Unknown]] = {group: Counter() for group in (TOP, *AREAS)}
        """What is in a day beside its hours."""
        self.day_of: dict[int, list[tuple[Place, int]]] = {}
        """Of what the day of a home is made, in a day that is no sum of hours."""
        self.attacker = Attacker()

    def tell(self, home: int, place: int, value: int | None) -> None:
        if home in self.gone:
            return
        self.changed_at = self.at
        self.parts[home][DAY if home in self.daily else place] = value

    def erase(self, home: int) -> None:
        self.gone.add(home)
        self.parts[home] = {}
        for standing in (*self.hours.values(), *self.days.values()):
            standing.final = True

    def look(self) -> None:
        rounds = Rounds(self.publication, self.at)
        whole = self.days[TOP].reasons[0] is Reason.NONE
        barred = dict.fromkeys(range(HOURS), Reason.SUMMED) if whole else {}
        out = {key for key in self._keys() if self._is_out(*key)}
        row = self._row(Interval.PT1H, list(range(HOURS)), self.hours)
        self._took(rounds.look(row, barred), list(range(HOURS)), out)
        reasons = list(self.hours[TOP].reasons)
        had = {group: self.days[group].sums[0] for group in (TOP, *AREAS)}
        cells = [self._cells(place) for place in range(HOURS)]
        of_day = [Hour(self.hours, cells[place], place) for place in range(HOURS)]
        out = {key for key in self._keys() if self._is_out(*key)}
        dailies = self._cells(DAY, self.daily)
        hours = {0: of_day} if self._is_over() else {}
        day = self._row(Interval.P1D, [DAY], self.days)
        self._took(rounds.look_at_days(day, hours, {0: dailies}, ()), [DAY], out)
        self._add_to_days(reasons, had)
        self._publish()

    def _is_over(self) -> bool:
        return self.at >= MIDNIGHT + timedelta(hours=HOURS)

    def _keys(self) -> list[tuple[GroupId, Place]]:
        return [(group, place) for group in (TOP, *AREAS) for place in (*range(HOURS), DAY)]

    def _is_out(self, group: GroupId, place: Place) -> bool:
        if isinstance(place, str):
            return self.days[group].is_out(0)
        return self.hours[group].is_out(place)

    def _row(self, interval: Interval, places: Sequence[Place], of: dict[GroupId, Standing]) -> Row:
        fresh: dict[int, list[Fresh]] = {}
        for number, place in enumerate(places):
            for home in set(self.area) - self.gone:
                before, now = self.before[home].get(place), self._part(home, place)
                if before != now and (home, place) not in self.counted:
                    one = Fresh(MemberId(home), self.area[home], before, now)
                    fresh.setdefault(number, []).append(one)
        hours = range(1, HOURS + 1) if interval is Interval.PT1H else [HOURS]
        return Row(
            direction=Direction.CONSUMPTION,
            interval=interval,
            ends=[MIDNIGHT + timedelta(hours=hour) for hour in hours],
            cells=[self._cells(place) for place in places],
            standings=of,
            groups=Groups(TOP, tuple(AREAS)),
            fresh=fresh,
            homes=len(self.area) - len(self.gone),
            changed_at=self.changed_at,
        )

    def _part(self, home: int, place: Place) -> int | None:
        if isinstance(place, int) or home in self.daily:
            return self.parts[home].get(place)
        hours = [self.parts[home].get(hour) for hour in range(HOURS)]
        known = [value for value in hours if value is not None]
        return sum(known) if len(known) == HOURS else None

    def _cells(self, place: Place, homes: set[int] | None = None) -> Cells:
        cells: dict[GroupId, Cell] = {}
        for home in homes if homes is not None else self.area:
            value, area = self._part(home, place), self.area[home]
            if value is not None:
                for group in {TOP, TOP if area is None else area}:
                    cells[group] = cells.get(group, NOBODY).also(Cell(value, 1, value))
        return cells

    def _took(
        self, looked: Looked, places: Sequence[Place], out: set[tuple[GroupId, Place]]
    ) -> None:
        for place in places:
            for group in (TOP, *AREAS):
                if self._is_out(group, place) and (group, place) not in out:
                    self.inside[group, place] = {
                        home: value
                        for home in self._in(group)
                        if (value := self._part(home, place)) is not None
                    }
                    if group == TOP:
                        for home in self.area:
                            self._make_day(home, place)
                            self.before[home][place] = self._part(home, place)
        for number, member in looked.counted:
            place, home = places[number], int(member)
            self.counted.add((home, place))
            self.before[home][place] = value = self._part(home, place)
            self._make_day(home, place)
            for group in {TOP, self.area[home] or TOP}:
                if (group, place) in self.inside:
                    self.inside[group, place].pop(home, None)
                    if value is not None:
                        self.inside[group, place][home] = value

    def _make_day(self, home: int, place: Place) -> None:
        if place == DAY:
            parts: list[Place] = [DAY] if home in self.daily else list(range(HOURS))
            told = [(one, self.parts[home].get(one)) for one in parts]
            self.day_of[home] = [(one, value) for one, value in told if value is not None]

    def _in(self, group: GroupId) -> list[int]:
        return [home for home, area in self.area.items() if group in {TOP, area}]

    def _add_to_days(self, reasons: list[Reason], had: Mapping[GroupId, int]) -> None:
        """Find out what came to a day beside its hours, and check that it is this much."""
        for group in (TOP, *AREAS):
            if self.days[group].reasons[0] is not Reason.HOURS:
                continue
            if group == TOP:
                for hour in range(HOURS):
                    if self.hours[TOP].reasons[hour] is Reason.SUMMED is not reasons[hour]:
                        for home in self.area:
                            if (value := self._part(home, hour)) is not None:
                                self.more[TOP][home, (hour, value)] += 1
            rest = self.days[group].sums[0] - self._sum(self.more[group])
            if rest:
                shown = {home for area in AREAS for home in self._area_dailies(area)}
                for homes in (self.daily, shown):
                    told = {home for home in homes if home in self._in(group)}
                    if sum(self.parts[home].get(DAY) or 0 for home in told) == rest:
                        for home in told:
                            if (value := self.parts[home].get(DAY)) is not None:
                                self.more[group][home, (DAY, value)] += 1
                        break
            assert self._sum(self.more[group]) == self.days[group].sums[0], had

    def _area_dailies(self, area: GroupId) -> list[int]:
        return [home for home in self.daily if self.area[home] == area]

    def _sum(self, unknowns: Mapping[Unknown, int]) -> int:
        return sum(n * what[1] for (_, what), n in unknowns.items())  # type: ignore[index]

    def _publish(self) -> None:
        for group in (TOP, *AREAS):
            for hour in range(HOURS):
                if self._is_out(group, hour):
                    figure = self._hour(group, hour)
                    assert self._sum(figure) == self.hours[group].sums[hour]
                    assert len(figure) == self.hours[group].counts[hour]
                    self._see(figure)
            reason = self.days[group].reasons[0]
            if reason is Reason.HOURS:
                day = Counter(self.more[group])
                for hour in range(HOURS):
                    if self._is_out(group, hour):
                        day.update(self._hour(group, hour))
                self._see(day)
            elif reason is Reason.NONE:
                self._see(self._whole(group))

    def _see(self, figure: Counter[Unknown]) -> None:
        of_home: Counter[int] = Counter()
        for (home, what), times in figure.items():
            of_home[home] += times * what[1]  # type: ignore[index]
        assert len(of_home) >= NEED
        assert max(of_home.values()) * 100 <= of_home.total() * 85
        self.attacker.see(figure)

    def _hour(self, group: GroupId, hour: int) -> Counter[Unknown]:
        inside = self.inside[group, hour]
        return Counter({(home, (hour, value)): 1 for home, value in inside.items()})

    def _whole(self, group: GroupId) -> Counter[Unknown]:
        return Counter(
            {(home, what): 1 for home in self.inside[group, DAY] for what in self.day_of[home]}
        )


SOME = st.sets(st.integers(0, 9), min_size=1)
OPS = st.one_of(
    st.tuples(
        st.just("tell"),
        SOME,
        st.one_of(st.just({0, 1, 2}), st.sets(st.integers(0, HOURS - 1), min_size=1)),
        st.one_of(st.integers(0, 60), st.none()),
    ),
    st.tuples(st.just("look"), st.sampled_from([0, 20, 60, 200, 900, 3000])),
    st.tuples(st.just("erase"), st.integers(0, 9)),
    st.tuples(st.just("rules"), st.sampled_from(RULES)),
)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=3, max_size=10),
    st.integers(0, 5),
    st.lists(OPS, max_size=25),
)
def test_no_home_is_told_apart(areas: list[int], dailies: int, ops: list[tuple[Any, ...]]) -> None:
    town = Town(areas, min(dailies, len(areas)))
    for op, *of in ops:
        match op:
            case "tell":
                homes, hours, value = of
                for home, hour in product(homes & town.area.keys(), sorted(hours)):
                    told = None if value is None else value + (home * 7 + hour) % 5
                    town.tell(home, hour, told)
            case "look":
                town.at += timedelta(minutes=of[0])
                town.look()
            case "erase" if of[0] in town.area:
                town.erase(of[0])
            case "rules":
                (town.publication,) = of
    town.at += timedelta(days=3)
    town.look()
    assert not town.attacker.told_apart(fewer_than=NEED)
