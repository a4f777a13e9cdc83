"""Closes the protected sums of hours, a kind of cells of its own.

When the records of an hour close, its reports are put into requests to witnesses, or are left out.
Its sums are written once, when all its witnesses have answered, or were given up.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from consometers_node.collective.calendar import month_of
from consometers_node.collective.disclosure.closing import add_up, close_counts
from consometers_node.collective.disclosure.reasons import Reason
from consometers_node.collective.disclosure.sdc_rules import Cell, Publication
from consometers_node.series import Direction, Interval
from consometers_node.store.collective.masked_reports import (
    StoredOpening,
    StoredReport,
    answered_hours,
    forget_closed,
    forget_opened,
    openings,
    store_opening,
)
from consometers_node.store.collective.publication import (
    ClosedInterval,
    PublishedCell,
    cells_of_hour,
    parts,
    write,
)
from consometers_node.store.collective.tables import GroupId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.settings import VERIFICATION_SECRET, secret
from consometers_protected_sums.pooling import Groups

from .masked_hours import MaskedHour
from .monthly_groups import MonthlyGroups
from .openings import OpenedCells, homes, opening, read_answer
from .tabulation import Tabulation, mean

HOURS_AT_ONCE = 24
"""In one transaction, while members wait."""

_HOUR = Interval.PT1H


class ProtectedHours:
    """Has the reports of hours opened, and closes what was opened, in one transaction."""

    def __init__(
        self,
        connection: AsyncConnection,
        publication: Publication,
        groups: MonthlyGroups,
        tabulation: Tabulation,
        at: datetime,
    ) -> None:
        self._connection = connection
        self._publication = publication
        self._groups = groups
        self._tabulation = tabulation
        self._at = at
        self._left_out: list[ClosedInterval] = []
        self._zone = ZoneInfo(groups.zone)

    async def ask(
        self, direction: Direction, start: datetime, civil: date, masked: MaskedHour
    ) -> bool:
        """Store the requests for the reports of an hour whose records close.

        Return whether there are any; otherwise, the hour is to be left out.
        """
        reasons: list[Reason | None] = []
        has_asked = False
        for witness, reports in masked.reports.items():
            made = await self._opening(direction, start, civil, witness, reports)
            if isinstance(made, StoredOpening):
                await store_opening(self._connection, made)
                has_asked = True
            else:
                reasons.append(made)
        series = await self._tabulation.masked(direction)
        memberships = await self._groups.memberships(civil)
        if not has_asked and series.homes(memberships, start=start):
            self._left_out.append(
                ClosedInterval(
                    direction=direction,
                    interval=_HOUR,
                    start=start,
                    closed_at=self._at,
                    expected=len(masked.missing) + len(masked.reporters),
                    response=len(masked.reporters),
                    reason=next(filter(None, reasons), None),
                    protected=1,
                )
            )
        return has_asked

    async def leave_out(self, direction: Direction, until: datetime) -> None:
        """Close the protected sums without any request, once the records of their hours are closed.

        Reports of hours up to the last closed one go.
        """
        await write(self._connection, (), self._left_out)
        self._left_out.clear()
        await forget_closed(self._connection, direction, until)

    async def close(self) -> list[PublishedCell] | None:
        """Close hours whose witnesses have answered, some at once.

        Return what is published; None where no hour was.
        """
        hours = await answered_hours(self._connection, HOURS_AT_ONCE)
        published: list[PublishedCell] = []
        for direction, start in hours:
            asked = await openings(self._connection, direction, start)
            opened = [read_answer(opening) for opening in asked]
            cells = await self._cells(direction, start, opened)
            response = sum(len(homes(opening)) for opening in asked)
            closed = ClosedInterval(
                direction=direction,
                interval=_HOUR,
                start=start,
                closed_at=self._at,
                expected=max(response, cells[0].counting if cells else 0),
                response=response,
                reason=_reason(opened),
                protected=1,
            )
            await write(self._connection, cells, [closed])
            await forget_opened(self._connection, direction, start)
            published += cells
        return published if hours else None

    async def _opening(
        self,
        direction: Direction,
        start: datetime,
        civil: date,
        witness: str,
        reports: Mapping[GroupId, Sequence[StoredReport]],
    ) -> StoredOpening | Reason | None:
        """Return the request to a witness for an hour, or why there is none."""
        needed = self._publication.needed(direction, _HOUR)
        series = await self._tabulation.masked(direction)
        minimum = None if needed is None else max(needed, series.minimum[witness])
        together = await self._groups.published_together(
            month_of(civil),
            direction,
            series.homes(await self._groups.memberships(civil), witness=witness),
            minimum,
            witness=witness,
        )
        counts = {area: len(some) for area, some in reports.items()}
        passed, reason = close_counts(counts, together, minimum)
        if minimum is None or not passed:
            return reason
        key = await secret(self._connection, VERIFICATION_SECRET.format(witness=witness))
        if key is None:
            # The key was lost, and another one would verify reports twice.
            return Reason.NOT_OPENED
        groups = {
            communes: [report for area in communes for report in reports.get(area, ())]
            for communes in passed
        }
        return opening(direction, start, witness, groups, minimum=minimum, key=key, at=self._at)

    async def _cells(
        self, direction: Direction, start: datetime, opened: Sequence[OpenedCells]
    ) -> list[PublishedCell]:
        """Return the cells of what was opened of an hour, that of everybody first.

        They are of the finest groups that the cells of records can be added to. Where these are
        finer, the sum of both is one cell, of its communes together.
        """
        civil = start.astimezone(self._zone).date()
        month = await self._groups.of(civil)
        passed = add_up(each.cells for each in opened)
        if not passed:
            return []
        records = await self._records(direction, start, month.communes)
        units = add_up([passed, dict.fromkeys(records, Cell())])
        series = await self._tabulation.masked(direction)
        counting = series.homes(month.memberships, start=start)

        def cell(
            group: GroupId, opened: Cell, expected: int, beside: Sequence[PublishedCell] = ()
        ) -> PublishedCell:
            # As a record says it: whole W over the hour.
            energy = (opened.watt_minutes + 30) // 60 * 60
            count = opened.homes + sum(part.homes for part in beside)
            of_homes = energy + sum(part.homes_watt_minutes for part in beside)
            return PublishedCell(
                group=group,
                direction=direction,
                interval=_HOUR,
                start=start,
                day=civil,
                watt_minutes=energy + sum(part.watt_minutes for part in beside),
                members=opened.homes + sum(part.members for part in beside),
                homes=count,
                counting=max(expected, opened.homes) + sum(part.counting for part in beside),
                homes_watt_minutes=of_homes,
                average=mean(of_homes, count),
                minutes=_HOUR.minutes,
                lacking=max((part.lacking for part in beside), default=0),
                protected=1,
            )

        cells = []
        for groups, unit in units.items():
            if unit.homes:
                beside = [part for communes, part in records.items() if communes < groups]
                expected = sum(counting[part] for part in groups)
                group = await self._groups.group(groups, month.communes)
                cells.append(cell(group, unit, expected, beside))
        assert month.everybody is not None
        total = sum(passed.values(), Cell())
        return [cell(month.everybody, total, counting.total()), *cells]

    async def _records(
        self, direction: Direction, start: datetime, communes: Mapping[GroupId, str]
    ) -> dict[Groups[GroupId], PublishedCell]:
        """Return the cells of records of an hour, by the communes that each has."""
        parts_of = await parts(self._connection)
        by_communes = {}
        for cell in await cells_of_hour(self._connection, direction, start):
            groups = parts_of.get(cell.group, frozenset({cell.group}))
            if groups <= communes.keys():
                by_communes[groups] = cell
        return by_communes


def _reason(opened: Sequence[OpenedCells]) -> Reason | None:
    """Return why homes of a protected sum are suppressed, if they are."""
    reasons = [each.reason for each in opened if each.reason is not None]
    if Reason.NOT_OPENED in reasons:
        return Reason.NOT_OPENED
    is_published = any(each.cells for each in opened)
    return None if is_published else next(iter(reasons), None)
