"""Values of the figures over published intervals, and their comparison between periods. Pure.

A value is computed of published cells alone, by the formula and on the basis of its figure, and
carries what it covers.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime, time
from fractions import Fraction
from itertools import groupby
from typing import NamedTuple, Self

from consometers_node.collective.disclosure.reasons import Reason, Withheld
from consometers_node.collective.publication.member_values import WH
from consometers_node.figures import FIGURES, Basis, Comparison, Energies, Figure, Unit
from consometers_node.series import Direction
from consometers_node.store.collective.publication import IntervalSums, Joint, PublishedCell

type CellOrReason = PublishedCell | Withheld

_NO_JOINT = Joint()
_LEFT_OUT = Withheld(Reason.NOT_YET)


class TimeSlot(NamedTuple):
    """An interval, in the time of the collective, with the published cell of each direction."""

    start: datetime
    end: datetime
    minutes: int
    """How long it is."""
    cells: Mapping[Direction, CellOrReason]
    joints: Mapping[Basis, Joint] | None = None
    """Joint energies of a day, from its intervals; None of an interval."""
    of_building: bool = False
    """Its group is one building."""

    def cell(self, direction: Direction) -> PublishedCell | None:
        """Return what was published of a direction; None if nothing was."""
        cell = self.cells.get(direction)
        return cell if isinstance(cell, PublishedCell) else None

    def joint(self, basis: Basis) -> Joint:
        """Return the energies of a basis."""
        if self.joints is not None:
            return self.joints.get(basis, _NO_JOINT)
        cells = _all_cells(self, basis)
        if not cells or len({(bool(cell.lacking), bool(cell.unopened)) for cell in cells}) > 1:
            return _NO_JOINT
        energies = Energies(**{cell.direction: cell.watt_minutes for cell in cells})
        shared = min(energies.injection, energies.consumption)
        return Joint(energies._replace(shared=shared), cells[0].minutes, cells[0].without)

    def average(self, figure: Figure) -> int | None:
        """Return the average of a home that draws from the grid, in watt-minutes; None of a day."""
        cells = {cell.direction: cell for cell in _all_cells(self, figure.basis)}
        drawn = cells.get(Direction.CONSUMPTION)
        if self.joints is not None or figure.average is None or drawn is None or not drawn.homes:
            return None
        energies = Energies(**{way: cell.homes_watt_minutes for way, cell in cells.items()})
        amount = figure.value(energies)
        return None if amount is None else round(amount / drawn.homes)

    @property
    def published(self) -> int:
        """How many directions were published."""
        return sum(isinstance(cell, PublishedCell) for cell in self.cells.values())


type Slots = Sequence[TimeSlot]


class Value(NamedTuple):
    """The value of a figure over some intervals, and what it covers.

    It covers `minutes` of `minutes_ended`, in `lacking` of which homes count that are not in it: in
    `unopened` of these, homes in protected sums. `later` protected homes came after its other
    members, the last of them at `since`.
    `members`, of `members_counting` that counted, is the most that one of its cells sums, and
    `homes` how many of them are homes. `average` adds up the averages of a home; of a member, where
    there are no homes.
    """

    figure: Figure
    amount: int | Fraction | None = None
    """In watt-minutes, or a ratio; None where nothing is known, for `why`."""
    minutes: int = 0
    minutes_ended: int = 0
    lacking: int = 0
    members: int = 0
    members_counting: int = 0
    homes: int = 0
    average: int | None = None
    why: Withheld | None = None
    unopened: int = 0
    later: int = 0
    since: datetime | None = None

    @property
    def wh(self) -> float | None:
        """The energy in Wh; None of a ratio, and where none was published."""
        if self.amount is None or self.figure.unit is not Unit.ENERGY:
            return None
        return float(self.amount) / WH

    @property
    def ratio(self) -> Fraction | None:
        """The ratio; None of an energy, and where it is not known."""
        return self.amount if isinstance(self.amount, Fraction) else None

    @property
    def number(self) -> float | None:
        """The value as programs read it: to a tenth of a Wh, or four digits of a ratio."""
        ratio = self.ratio
        return rounded(self.wh) if ratio is None else rounded(float(ratio), 4)

    @property
    def average_wh(self) -> float | None:
        """The average of a home, or of a member, in Wh."""
        return None if self.average is None else rounded(self.average / WH)

    @property
    def is_there(self) -> bool:
        """Whether the group has this figure at all, published or not."""
        return self.minutes_ended > 0

    @property
    def is_whole(self) -> bool:
        """Whether it covers all intervals, with all homes."""
        return self.minutes >= self.minutes_ended and not self.lacking

    @property
    def hours(self) -> float:
        """How many hours it covers."""
        return self.minutes / 60

    @property
    def hours_ended(self) -> float:
        """How many hours there were."""
        return self.minutes_ended / 60

    @property
    def hours_lacking(self) -> float:
        """In how many of its hours homes are missing."""
        return self.lacking / 60

    @property
    def coverage(self) -> Hashable:
        """What it covers, alike for all figures of equal coverage."""
        return (
            *(self.minutes, self.minutes_ended, self.lacking, self.why),
            *(self.unopened, self.later, self.since),
        )


def rounded(number: float | None, digits: int = 1) -> float | None:
    """Round a number as programs read it; a whole one is written as such."""
    if number is None:
        return None
    short = round(number, digits)
    return int(short) if short == int(short) else short


def value(slots: Slots, key: str) -> Value:
    """Return the value of a figure over some intervals."""
    figure = FIGURES[key]
    basis = figure.basis
    is_there = slots and all(direction in slots[0].cells for direction in basis.directions)
    if not is_there or (figure.among_neighbours and slots[0].of_building):
        return Value(figure)
    ended = sum([slot.minutes for slot in slots])
    if len(basis.directions) == 1:
        return _published(figure, slots, ended)
    joints = [(slot, joint) for slot in slots if (joint := slot.joint(basis)).minutes]
    if not joints:
        return Value(figure, minutes_ended=ended, why=_why(slots, basis))
    joint = _sum(joint for _, joint in joints)
    amount = figure.value(joint.energies)
    cells = [cell for slot, _ in joints for cell in _all_cells(slot, basis)]
    averages = [average for slot, _ in joints if (average := slot.average(figure)) is not None]
    return Value(
        figure,
        amount,
        joint.minutes,
        ended,
        joint.lacking,
        max([cell.members for cell in cells]),
        max([cell.members_counting for cell in cells]),
        max([cell.homes for cell in cells]),
        sum(averages) if len(averages) == len(joints) else None,
        _INCOMPARABLE if amount is None and joint.energies.self_consumed is None else None,
        min(joint.lacking, max([cell.unopened for cell in cells])),
        *_later(cells),
    )


def _published(figure: Figure, slots: Slots, ended: int) -> Value:
    """Return the sum of the published cells of a direction."""
    (direction,) = figure.basis.directions
    cells = [cell for slot in slots if (cell := slot.cell(direction)) is not None]
    if not cells:
        return Value(figure, minutes_ended=ended, why=_why(slots, figure.basis))
    homes = max([cell.homes for cell in cells])
    return Value(
        figure,
        sum([cell.watt_minutes for cell in cells]),
        sum([cell.minutes for cell in cells]),
        ended,
        sum([cell.without for cell in cells]),
        max([cell.members for cell in cells]),
        max([cell.members_counting for cell in cells]),
        homes,
        sum([cell.average for cell in cells if cell.homes or not homes]),
        None,
        sum([cell.unopened for cell in cells]),
        *_later(cells),
    )


def _later(cells: Iterable[PublishedCell]) -> tuple[int, datetime | None]:
    """Return how many protected homes came later, at most at any one time, and when the last."""
    later = [(cell.protected_homes, cell.since) for cell in cells if cell.since is not None]
    if not later:
        return 0, None
    return max(homes for homes, _ in later), max(since for _, since in later)


def joint_of_day(
    basis: Basis,
    hours: IntervalSums | None,
    cells: Mapping[Direction, CellOrReason],
    minutes: int,
    suppressed: Set[Direction],
) -> Joint:
    """Return the joint energies of a civil day: of its intervals, and of homes that send days.

    `suppressed` are the directions of which such homes were suppressed: what remains is then not of
    the same homes. Without intervals, the day lasts all of its `minutes`. Before the day itself is
    closed in all directions, there is nothing.
    """
    published = [
        cell for way in basis.directions if isinstance(cell := cells.get(way), PublishedCell)
    ]
    if len(published) < len(basis.directions):
        return _NO_JOINT
    joint = _NO_JOINT if hours is None else hours.joint[basis.directions]
    if basis.simultaneous:
        return joint
    joint = joint._replace(lacking=min(joint.lacking, max(cell.without for cell in published)))
    in_hours = {} if hours is None else hours.watt_minutes
    alone = {
        cell.direction: cell.watt_minutes - in_hours.get(cell.direction, 0) for cell in published
    }
    if len({cell.direction in suppressed for cell in published}) > 1:
        return joint
    lacking = min(cell.without for cell in published)
    return joint + Joint(Energies(**alone), *((0, 0) if in_hours else (minutes, lacking)))


@dataclass(frozen=True, slots=True)
class FlowRow:
    """Intervals that are shown as one; none, where they are to come."""

    start: datetime
    end: datetime
    slots: Slots = ()
    _values: dict[str, Value] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __getitem__(self, key: str) -> Value:
        # A page reads each of them many times.
        if key not in self._values:
            self._values[key] = value(self.slots, key)
        return self._values[key]

    @property
    def directions(self) -> Sequence[Direction]:
        """The directions that the group has."""
        return [*self.slots[0].cells] if self.slots else []

    @property
    def split(self) -> tuple[float, float]:
        """Production that is known to be self-consumed, and to be injected, in Wh."""
        basis = FIGURES["self-consumed"].basis
        energies = _sum(slot.joint(basis) for slot in self.slots).energies
        used = energies.self_consumed
        return (0, 0) if used is None else (used / WH, energies.injection / WH)

    @property
    def sells_all(self) -> bool:
        """Return whether all production was injected: a contract that sells it."""
        return self["self-consumption"].amount == 0

    @property
    def gaps(self) -> Mapping[Value, Sequence[Direction]]:
        """Return which directions do not cover all of it, or did not at first.

        Those of equal coverage are together.
        """
        gaps: dict[object, tuple[Value, list[Direction]]] = {}
        for direction in self.directions:
            energy = self[direction]
            if not energy.is_whole or energy.since is not None:
                gaps.setdefault(energy.coverage, (energy, []))[1].append(direction)
        return dict(gaps.values())

    @property
    def is_known(self) -> bool:
        """Return whether anything of it was published."""
        return any(slot.published for slot in self.slots)

    @property
    def hours(self) -> float:
        """How long it is."""
        # Between two times of one zone, Python subtracts clock times.
        return (self.end.timestamp() - self.start.timestamp()) / 3600


def together(slots: Slots) -> FlowRow | None:
    """Return one row for all intervals; None where there is none."""
    return FlowRow(slots[0].start, slots[-1].end, slots) if slots else None


def rows(slots: Slots) -> list[FlowRow]:
    """Return a row for each interval."""
    return [FlowRow(slot.start, slot.end, [slot]) for slot in slots]


@dataclass(frozen=True, slots=True)
class Compared:
    """A period beside an earlier one, over the intervals that are known alike of both.

    `equal` is the earlier one for the present number of members.
    """

    now: FlowRow
    then: FlowRow
    equal: FlowRow

    @classmethod
    def of(cls, now: Slots, then: Slots, clock: Callable[[TimeSlot], Hashable]) -> Self | None:
        """Compare intervals that have the same place in their period by the `clock`."""
        others = {clock(slot): slot for slot in then}
        pairs = [
            _alike(slot, other) for slot in now if (other := others.get(clock(slot))) is not None
        ]
        if not pairs:
            return None
        present, earlier = ([*slots] for slots in zip(*pairs, strict=True))
        scaled = [at_equal_membership(other, slot) for slot, other in pairs]
        shown = [together(slots) for slots in (present, earlier, scaled)]
        return cls(*[row for row in shown if row is not None])

    def before(self, key: str) -> Value:
        """Return the earlier value of a figure, as that figure is compared."""
        is_equal = FIGURES[key].comparison is Comparison.EQUAL_MEMBERSHIP
        return (self.equal if is_equal else self.then)[key]

    def change(self, key: str) -> float | None:
        """Return the change of an energy, as a part of the earlier one."""
        now, before = self.now[key].wh, self.before(key).wh
        return now / before - 1 if now is not None and before else None


def at_equal_membership(
    then: TimeSlot, now: TimeSlot, latest: Mapping[Direction, PublishedCell] | None = None
) -> TimeSlot:
    """Return an earlier interval for as many members as are in the present one.

    Homes and other members are each scaled by their own number; what has no counterpart is left
    out. Of an interval that is to come, the number is that of the `latest` cells.
    """
    cells: dict[Direction, CellOrReason] = {}
    for direction in then.cells:
        cell = then.cell(direction)
        present = now.cell(direction) or (latest or {}).get(direction)
        scaled = _scaled(cell, present) if cell is not None and present is not None else None
        cells[direction] = scaled or _LEFT_OUT
    return then._replace(cells=cells, joints=None if then.joints is None else {})


def latest_cells(slots: Slots) -> Mapping[Direction, PublishedCell]:
    """Return the last published cell of each direction."""
    return {
        direction: cell
        for slot in slots
        for direction in slot.cells
        if (cell := slot.cell(direction)) is not None
    }


def _scaled(then: PublishedCell, now: PublishedCell) -> PublishedCell | None:
    if bool(now.homes) > bool(then.homes) or bool(now.public) > bool(then.public):
        return None
    homes = then.average * now.homes
    if then.homes == now.homes:
        homes = then.homes_watt_minutes
    public = then.watt_minutes - then.homes_watt_minutes
    if then.public:
        public = round(Fraction(public * now.public, then.public))
    return then._replace(
        watt_minutes=homes + public,
        homes_watt_minutes=homes,
        members=now.members,
        homes=now.homes,
        counting=now.counting,
    )


def _alike(slot: TimeSlot, other: TimeSlot) -> tuple[TimeSlot, TimeSlot]:
    """Leave out what two intervals do not both know, of as many hours and the same homes."""
    alike = {direction for direction in slot.cells if is_alike(slot, other, direction)}

    def only(own: TimeSlot, its: TimeSlot) -> TimeSlot:
        cells = {way: cell if way in alike else _LEFT_OUT for way, cell in own.cells.items()}
        joints = own.joints
        if joints is not None:
            joints = {
                basis: joint for basis, joint in joints.items() if _covers_alike(own, its, basis)
            }
        return own._replace(cells=cells, joints=joints)

    return only(slot, other), only(other, slot)


def is_alike(slot: TimeSlot, other: TimeSlot, direction: Direction) -> bool:
    """Return whether two intervals know a direction alike: all of it, or as many hours of each."""
    cell, then = slot.cell(direction), other.cell(direction)
    if cell is None or then is None:
        return False
    if (cell.lacking, cell.unopened) != (then.lacking, then.unopened):
        return False
    are_whole = cell.minutes >= slot.minutes and then.minutes >= other.minutes
    return are_whole or cell.minutes == then.minutes


def _covers_alike(slot: TimeSlot, other: TimeSlot, basis: Basis) -> bool:
    joint, then = slot.joint(basis), other.joint(basis)
    are_whole = joint.minutes >= slot.minutes and then.minutes >= other.minutes
    return joint.lacking == then.lacking and (are_whole or joint.minutes == then.minutes)


def by_month(days: Slots) -> list[FlowRow]:
    """Return a row for each month of some days, from the month's first day on."""
    return _by(days, lambda slot: slot.start.date().replace(day=1))


def by_year(days: Slots) -> list[FlowRow]:
    """Return a row for each year of some days, from the year's first day on."""
    return _by(days, lambda slot: slot.start.date().replace(month=1, day=1))


def _by(days: Slots, first_day: Callable[[TimeSlot], date]) -> list[FlowRow]:
    parts = [(first, list(slots)) for first, slots in groupby(days, first_day)]
    return [
        FlowRow(datetime.combine(first, time(), slots[0].start.tzinfo), slots[-1].end, slots)
        for first, slots in parts
    ]


def is_open(cell: CellOrReason) -> bool:
    """Return whether nothing is known of a cell yet."""
    return isinstance(cell, Withheld) and cell.reason is Reason.NOT_YET


def _why(slots: Slots, basis: Basis) -> Withheld:
    """Return why nothing of a basis is known, preferably what people can do something about."""
    hidden = [
        cell
        for slot in slots
        for direction in basis.directions
        if isinstance(cell := slot.cells[direction], Withheld)
    ]
    return min(hidden, key=is_open, default=_INCOMPARABLE)


def _all_cells(slot: TimeSlot, basis: Basis) -> list[PublishedCell]:
    """Return the cells of all directions of a basis; none if one is missing."""
    cells = [cell for way in basis.directions if (cell := slot.cell(way)) is not None]
    return cells if len(cells) == len(basis.directions) else []


def _sum(joints: Iterable[Joint]) -> Joint:
    total = _NO_JOINT
    for joint in joints:
        total += joint
    return total


_INCOMPARABLE = Withheld(Reason.INCOMPARABLE)
