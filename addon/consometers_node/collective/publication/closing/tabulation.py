"""The table of an interval: what members sent of it, and the cells that may be published."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from secrets import token_bytes

from consometers_node.collective.calendar import instants, month_of
from consometers_node.collective.disclosure.closing import Passed, close
from consometers_node.collective.disclosure.confidential import ConfidentialParameter
from consometers_node.collective.disclosure.sdc_rules import Cell, Publication
from consometers_node.series import Direction, Interval
from consometers_node.store.collective.publication import PublishedCell
from consometers_node.store.collective.tables import GroupId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.settings import DISCLOSURE_SECRET, secret_or_new
from consometers_protected_sums.keyed_draw import SECRET_BYTES

from .blocks import Day, PublicSum, Snapshot, Sums
from .masked_hours import MaskedSeries, Promised
from .monthly_groups import MonthlyGroups


class Tabulation:
    """Reads sums in one transaction, and puts them under disclosure control."""

    def __init__(
        self,
        connection: AsyncConnection,
        publication: Publication,
        groups: MonthlyGroups,
        *,
        has_masked: bool,
    ) -> None:
        """Tabulate by these rules; masked reports too, if `has_masked`."""
        self._connection = connection
        self._publication = publication
        self._groups = groups
        self._has_masked = has_masked
        self._secret = b""
        self._masked: dict[Direction, MaskedSeries] = {}

    async def day(self, direction: Direction, day: date, step: Interval) -> Day:
        """Return what members sent of a UTC day, at a step."""
        sent = await Day.read(self._connection, direction, day, step)
        self._groups.note_senders(direction, sent.senders)
        return sent

    async def civil_day(
        self, direction: Direction, day: date, step: Interval, homes: int | None
    ) -> Sums:
        """Return what members sent of a civil day that are in no interval of it, of its step.

        `homes` is how many are in what was published of all members' intervals, None where nothing
        was. Where none is in it, all of them are summed by the day.
        """
        days = tuple(instants(self._groups.zone, day).days())
        # With everybody beside the senders of the step, only members that send days remain.
        coarser = step if homes else None
        snapshot = await Snapshot.read(self._connection, direction, days[0], days[-1], coarser)
        return snapshot.civil_day(
            day,
            await self._groups.memberships(day),
            homes_beside=coarser,
            public_beside=None if homes is None else step,
        )

    async def masked(self, direction: Direction) -> MaskedSeries:
        """Return the senders of masked reports of a direction."""
        if not self._has_masked:
            return MaskedSeries(direction)
        if direction not in self._masked:
            self._masked[direction] = await MaskedSeries.read(self._connection, direction)
        return self._masked[direction]

    async def publish(
        self,
        direction: Direction,
        interval: Interval,
        start: datetime,
        civil: date,
        sent: Sums,
    ) -> tuple[list[PublishedCell], str | None]:
        """Return the cells of records of an interval; why homes are suppressed, if they are."""
        minimum = self._publication.needed(direction, interval)
        month = month_of(civil)
        counting = await self._groups.homes(month, direction)
        together = await self._groups.published_together(month, direction, counting, minimum)
        if not self._secret:
            self._secret = await disclosure_secret(self._connection)
        parameter = ConfidentialParameter(self._secret, direction, civil)
        passed, suppressed = close(sent.cells, together, minimum, parameter)
        reason = suppressed if sent.cells else None
        promised: Sequence[Promised] = ()
        if interval is Interval.PT1H and minimum is not None:
            masked = await self.masked(direction)
            memberships = await self._groups.memberships(civil)
            promised = masked.promised(memberships, start, minimum)
        cells = await self._cells(
            direction,
            interval,
            start,
            civil,
            passed=passed,
            sent=sent,
            counting=counting,
            promised=promised,
            are_missing=reason is not None or (not passed and counting.total() > 0),
        )
        return cells, reason

    async def _cells(
        self,
        direction: Direction,
        interval: Interval,
        start: datetime,
        civil: date,
        *,
        passed: Passed[GroupId],
        sent: Sums,
        counting: Counter[GroupId],
        promised: Sequence[Promised],
        are_missing: bool,
    ) -> list[PublishedCell]:
        """Return the cell of everybody, those of communes, and those of sites and buildings.

        `are_missing`: homes that count are in no cell, suppressed or without a record. A cell
        awaits protected sums where enough homes for one count in it: of fewer, nobody learns.
        """
        unit = interval.minutes if interval is not Interval.P1D else 1

        def cell(
            group: GroupId,
            of_homes: Cell,
            public: PublicSum,
            counting: int = 0,
            *,
            is_lacking: bool = False,
            is_unopened: bool = False,
        ) -> PublishedCell:
            # As a record says it: whole W over the interval.
            energy, of_homes_alone = (
                (watt_minutes + unit // 2) // unit * unit
                for watt_minutes in (
                    of_homes.watt_minutes + public.watt_minutes,
                    of_homes.watt_minutes,
                )
            )
            members, homes = of_homes.homes + public.members, of_homes.homes
            return PublishedCell(
                group=group,
                direction=direction,
                interval=interval,
                start=start,
                day=civil,
                watt_minutes=energy,
                members=members,
                homes=homes,
                counting=max(counting, homes),
                homes_watt_minutes=of_homes_alone,
                average=mean(of_homes_alone, homes) if homes else mean(energy, members),
                minutes=interval.minutes,
                lacking=interval.minutes if is_lacking else 0,
                unopened=interval.minutes if is_unopened else 0,
            )

        month = await self._groups.of(civil)
        left = dict(sent.public)
        cells: list[PublishedCell] = []
        for groups, homes in passed.items():
            group = await self._groups.group(groups, month.communes)
            shown = sum((left.pop(part, PublicSum()) for part in groups), PublicSum())
            expected = sum(counting[part] for part in groups)
            is_lacking = not groups.isdisjoint(sent.without)
            is_unopened = any(each.are_enough(groups) for each in promised)
            cells.append(
                cell(group, homes, shown, expected, is_lacking=is_lacking, is_unopened=is_unopened)
            )
        areas = {group: left.pop(group) for group in list(left) if group in month.communes}
        cells += [
            cell(
                group,
                Cell(),
                public,
                is_lacking=are_missing or group in sent.without,
                is_unopened=any(each.are_enough({group}) for each in promised),
            )
            for group, public in areas.items()
        ]
        if not cells:
            return []
        assert month.everybody is not None
        of_homes = sum(part.homes_watt_minutes for part in cells)
        energy = sum(part.watt_minutes for part in cells)
        everybody = cell(
            month.everybody,
            Cell(of_homes, sum(part.homes for part in cells)),
            PublicSum(energy - of_homes, sum(part.public for part in cells)),
            sum(part.counting for part in cells),
            is_lacking=bool(sent.without)
            or (are_missing and not any(part.homes for part in cells)),
            is_unopened=any(each.are_enough(each.homes) for each in promised),
        )
        alone = (cell(group, Cell(), public) for group, public in left.items())
        return [everybody, *cells, *alone]


async def disclosure_secret(connection: AsyncConnection) -> bytes:
    """Return the collective's secret of disclosure control, made when it is first needed.

    It is in each backup: another one would decide again, by another parameter, what a restored
    database lacks.
    """
    return await secret_or_new(connection, DISCLOSURE_SECRET, partial(token_bytes, SECRET_BYTES))


def whole_day(
    hours: PublishedCell | None, alone: PublishedCell | None, minutes: int
) -> PublishedCell:
    """Return the published cells of a civil day: of its intervals, and of homes that send days.

    Without intervals it is all of its `minutes`.
    """
    if hours is None:
        assert alone is not None
        return alone._replace(minutes=minutes, lacking=minutes if alone.lacking else 0)
    if alone is None:
        return hours
    members, homes = hours.members + alone.members, hours.homes + alone.homes
    of_some = [each for each in (hours, alone) if bool(each.homes) is bool(homes)]
    weights = [each.homes or each.members for each in of_some]
    averages = sum(each.average * count for each, count in zip(of_some, weights, strict=True))
    return hours._replace(
        watt_minutes=hours.watt_minutes + alone.watt_minutes,
        members=members,
        homes=homes,
        counting=max(hours.counting, alone.counting, homes),
        homes_watt_minutes=hours.homes_watt_minutes + alone.homes_watt_minutes,
        average=mean(averages, sum(weights)),
        # Without homes in any hour, those of the day are all homes.
        lacking=0 if alone.homes and not hours.homes else hours.lacking,
    )


def mean(total: int, members: int) -> int:
    """Return a total per member, rounded to a whole number; 0 without members."""
    return (total + members // 2) // members if members else 0
