"""Masked reports of members, checked against their permissions, and stored.

docs/protected-sums-specification.md has what they hold, and when they are refused.
A message is taken whole or refused whole, in words. Of an hour that is closed, or that a witness is
asked to open, a report is acknowledged and dropped: it can be in no sum any more.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from consometers_node.collective.permissions import member_permissions
from consometers_node.collective.permissions.member_permissions import WIRE_DIRECTIONS
from consometers_node.i18n.text import text
from consometers_node.series import Direction
from consometers_node.store.collective.masked_reports import (
    StoredReport,
    hours_too_late,
    note_reports,
    put_reports,
)
from consometers_node.store.collective.member_series import (
    MemberSeries,
    under_permissions,
    update_series,
)
from consometers_node.store.collective.tables import MemberPermissionId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_protected_sums.errors import NotElements
from consometers_protected_sums.reports import share
from consometers_quoalise import BadRequest, NotAuthorized, QuoaliseError, Reports, iso8601
from consometers_quoalise.federation.protected_sums import MAX_REPORTS
from consometers_quoalise.records.identifier import identifier

from .arrivals import Arrivals

_KEY_SKEW = timedelta(days=1)
"""Clocks of homes differ, and a message is under way."""

_NOT_GRANTED = text(
    "No permission for a protected sum covers this message (any more): it was not stored."
)
_NOT_ASKED = text("Your permission does not cover this direction: the message was not stored.")
_NOT_THEN = text("Your permission covers hours from {start} until {end}: no report was stored.")
_NOT_YET = text("A report is of an hour in the future, {start}: set your clock.")
_OTHER_DAY = text("The reports are masked with the key of {day}, today is {today}: set your clock.")
_TOO_MANY = text("A message contains at most {most} reports, this one has {found}.")
_NO_ELEMENTS = text(
    "The report of {start} has a number that is no element of the field: no report was stored."
)


async def take_reports(
    connection: AsyncConnection,
    messages: Mapping[int, tuple[str, Reports]],
    at: datetime,
    arrivals: Arrivals,
) -> dict[int, QuoaliseError]:
    """Store messages of senders (bare JIDs), in this order; return which are refused, and why.

    The last report of an hour counts. Those that come in time are noted in `arrivals`.
    """
    refused: dict[int, QuoaliseError] = {}
    granted: defaultdict[str, list[MemberSeries]] = defaultdict(list)
    ids = {reports.permission for _, reports in messages.values()}
    for series in await under_permissions(connection, ids):
        granted[series.permission].append(series)
    new: dict[tuple[Direction, datetime, MemberPermissionId], StoredReport] = {}
    for place, (sender, reports) in messages.items():
        try:
            series = await _check(connection, sender, reports, granted[reports.permission], at)
        except QuoaliseError as refusal:
            refused[place] = refusal
            continue
        for report in reports.reports:
            new[reports.direction, report.hour, series.permission] = StoredReport(
                series.permission,
                reports.day,
                report.nonce,
                report.masked,
            )
    late = await hours_too_late(connection, {(direction, hour) for direction, hour, _ in new})
    taken = [
        (direction, hour, report)
        for (direction, hour, _), report in new.items()
        if (direction, hour) not in late
    ]
    await put_reports(connection, taken)
    senders = {(permission, direction) for direction, _, permission in new}
    if senders:
        await note_reports(connection, senders, at)
    for direction, hour, _ in taken:
        arrivals.note_report(direction, hour, at)
    return refused


async def _check(
    connection: AsyncConnection,
    sender: str,
    reports: Reports,
    granted: list[MemberSeries],
    at: datetime,
) -> MemberSeries:
    """Return the permission under which these reports may be stored. Raises QuoaliseError."""
    if len(reports) > MAX_REPORTS:
        raise BadRequest(_TOO_MANY.fill(most=MAX_REPORTS, found=len(reports)).by_language)
    granted = [
        series
        for series in granted
        if series.jid == sender and series.is_masked and at < series.records.end
    ]
    if not granted:
        raise NotAuthorized(_NOT_GRANTED.by_language)
    series = await _series(connection, granted, reports.direction)
    within = series.records
    if not all(report.hour in within for report in reports.reports):
        start, end = iso8601.shown(within.start), iso8601.shown(within.end)
        raise NotAuthorized(_NOT_THEN.fill(start=start, end=end).by_language)
    last = max(report.hour for report in reports.reports)
    if last > at:
        raise BadRequest(_NOT_YET.fill(start=iso8601.shown(last)).by_language)
    if abs(reports.day - at.date()) > _KEY_SKEW:
        raise BadRequest(_OTHER_DAY.fill(day=reports.day, today=at.date()).by_language)
    for report in reports.reports:
        try:
            share(report.masked)
        except NotElements:
            raise BadRequest(
                _NO_ELEMENTS.fill(start=iso8601.shown(report.hour)).by_language
            ) from None
    return series


async def _series(
    connection: AsyncConnection, granted: list[MemberSeries], direction: Direction
) -> MemberSeries:
    """Return the series of a direction, which their first reports determine. Raises."""
    for series in granted:
        if series.masked_direction is direction:
            return series
    permission = await member_permissions.get(connection, granted[0].permission)
    for place, series in enumerate(granted):
        way = identifier(series.identifier).direction
        is_new = series.masked_direction is None and way in WIRE_DIRECTIONS[direction]
        if is_new and direction in permission.need.directions:
            await update_series(connection, series.key, masked_direction=direction)
            granted[place] = learnt = series.of_direction(direction)
            return learnt
    raise NotAuthorized(_NOT_ASKED.by_language)
