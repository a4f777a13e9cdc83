"""Hours are closed over masked reports, which a witness opens in sums of enough homes."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DatabaseError

from consometers_node.collective.calendar import Span
from consometers_node.collective.disclosure.reasons import Reason, Withheld
from consometers_node.collective.permissions.member_permissions import withdraw
from consometers_node.collective.publication.closing.openings import give_up, given_up, read_answer
from consometers_node.collective.publication.reading.queries import Published
from consometers_node.collective.publication.reading.values import CellOrReason
from consometers_node.i18n.protocol import sentence
from consometers_node.permission import DataNeed, DataNeedSeries
from consometers_node.series import Direction, Interval, Quantity, Range
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.collective.masked_reports import (
    StoredOpening,
    ask_less,
    note_sums_sent,
    openings,
    reports_of_hour,
    store_answer,
    store_opening,
)
from consometers_node.store.collective.publication import LATE, PublishedCell
from consometers_node.store.collective.published_series import own_series, published_records
from consometers_node.store.collective.tables import (
    MaskedReportRow,
    MemberPermissionSeriesRow,
    OpeningRow,
)
from consometers_node.store.tables import SeriesRow
from consometers_quoalise import (
    BadRequest,
    NotAuthorized,
    ResourceConstraint,
)
from consometers_quoalise.federation.protected_sums import (
    Opened,
    Opening,
    VerificationRequest,
    Verified,
)
from packages.protected_sums.tests.independent import KEPT, WAITED
from testing.clocks import sure
from testing.collectives.erasure import everything
from testing.collectives.masked import NEED_OF_SUMS, AskedWitness, MaskedTown, answered
from testing.collectives.publishing import CONSUMPTION, HOUR, LATER

AT = datetime(2026, 7, 15, 10, tzinfo=UTC)
"""An hour of reports."""
OVER = AT + timedelta(hours=4)
HOURS = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def town(store: Store) -> AsyncIterator[MaskedTown]:
    async with store.writing() as connection:
        yield MaskedTown(connection, at=OVER)


def at_hours(values: list[int | None], *hours: int) -> list[int | None]:
    return [values[hour] for hour in hours]


async def test_published_sum_is_exact_and_its_reports_are_deleted(town: MaskedTown) -> None:
    homes = await town.masked_homes(4, "Lorient")
    for wh, home in enumerate(homes, 301):
        await town.report([home], [wh, wh + 10], AT)
    await town.close_all(OVER)
    assert at_hours(await town.shown(), 10, 11) == [1_210, 1_250]
    assert (await town.counted("Lorient"))[10] == 4
    assert not await town.rows("masked_report")
    assert not await town.rows("opening")
    closed = await town.closed_hour(AT, protected=True)
    assert (closed.expected, closed.response, closed.reason) == (4, 4, None)


async def test_records_and_sums_are_added_over_their_common_areas(town: MaskedTown) -> None:
    """Lorient is together with Lanester for the records, with Ploemeur for the sums."""
    await town.record(await town.members(2, "Lorient"), 100)
    await town.record(await town.members(3, "Lanester"), 100)
    await town.record(await town.members(3, "Plouay"), 100)
    await town.report(await town.masked_homes(2, "Lorient"), [400], AT)
    await town.report(await town.masked_homes(3, "Ploemeur"), [400], AT)
    await town.report(await town.masked_homes(4, "Plouay"), [400], AT)
    await town.close_all(OVER)
    name = "Lanester, Lorient, Ploemeur"
    assert at_hours(await town.shown(name, kind="combined"), 9, 10) == [None, 2_500]
    assert at_hours(await town.shown("Lanester, Lorient", kind="combined"), 9, 10) == [500, 500]
    assert at_hours(await town.shown("Plouay"), 9, 10) == [300, 1_900]
    assert at_hours(await town.shown(), 9, 10) == [800, 4_400]
    assert (await town.counted())[10] == 17


async def close_records(town: MaskedTown, at: datetime) -> None:
    """Close all that is due while no witness answers."""
    while await town.close(at):
        pass


async def test_records_are_published_whatever_the_witness_does(town: MaskedTown) -> None:
    """Its answer comes a day later; records of the hour, and of later ones, do not wait for it."""
    await town.record(await town.members(3), 100)
    await town.report(await town.masked_homes(3), [400, 400], AT)
    later = OVER + timedelta(hours=20)
    await close_records(town, later)
    assert at_hours(await town.shown(), 9, 10, 11, 12) == [300, 300, 300, 300]
    # Records are of a UTC day: two hours of it are in the next civil day.
    assert await town.civil() == 22 * 300
    asked = await openings(town.connection)
    assert [each.start for each in asked] == [AT, AT + HOURS]
    await town.close_all(later)
    assert at_hours(await town.shown(), 9, 10, 11, 12) == [300, 1_500, 1_500, 300]
    assert await town.civil() == 22 * 300 + 2 * 1_200


async def test_a_figure_says_in_which_hours_protected_homes_are_missing_and_which_came_later(
    town: MaskedTown,
) -> None:
    await town.record(await town.members(3), 100)
    await town.report(await town.masked_homes(3), [400], AT)
    later = OVER + timedelta(hours=20)
    await close_records(town, OVER)
    await close_records(town, later)

    async def figures() -> list[PublishedCell]:
        hours = {cell.start: cell for cell in await town.cells()}
        (day,) = [cell for cell in await town.cells(Interval.P1D) if cell.day == AT.date()]
        return [hours[AT - HOURS], hours[AT], day]

    def coverage(cell: PublishedCell) -> tuple[int, int, int]:
        return cell.without, cell.unopened, cell.homes

    # Of an hour that nobody reports, these homes are missing as well.
    day = 22 * 60
    assert list(map(coverage, await figures())) == [(60, 60, 3), (60, 60, 3), (day, day, 3)]
    await town.close_all(later)
    before, hour, whole = await figures()
    expected = [(60, 60, 3), (0, 0, 6), (21 * 60, 21 * 60, 6)]
    assert list(map(coverage, (before, hour, whole))) == expected
    assert (hour.protected_homes, hour.since) == (3, later)
    assert (whole.protected_homes, whole.since) == (3, later)
    assert before.since is None
    assert (hour.average, hour.counting) == (250 * 60, 6)
    # Hour by hour: what two kinds have on average is no mean of their days.
    assert whole.average == (21 * 100 + 250) * 60


async def test_a_prompt_answer_is_not_later(town: MaskedTown) -> None:
    await town.record(await town.members(3), 100)
    await town.report(await town.masked_homes(3), [400], AT)
    await close_records(town, OVER)
    await town.close_all(OVER + LATE)
    (hour,) = [cell for cell in await town.cells() if cell.start == AT]
    assert (hour.homes, hour.protected_homes, hour.since) == (6, 3, None)


async def test_no_row_of_either_kind_changes_when_the_other_is_written(town: MaskedTown) -> None:
    await town.record(await town.members(3, "Lorient"), 100)
    await town.record(await town.members(4, "Lanester"), 100)
    await town.report(await town.masked_homes(3, "Lorient"), [400], AT)
    await close_records(town, OVER)
    written = {table: await town.rows(table) for table in ("published_cell", "closed_interval")}
    await town.close_all(OVER + timedelta(hours=20))
    for table, rows in written.items():
        after = await town.rows(table)
        assert len(after) > len(rows)
        assert set(rows) <= set(after)


async def test_what_comes_later_is_the_protected_sum_alone(town: MaskedTown) -> None:
    """The difference of both figures is a sum that a witness opened, of enough homes."""
    await town.record(await town.members(3, "Lorient"), 100)
    await town.record(await town.members(4, "Lanester"), 50)
    for area, wh in (("Lorient", 400), ("Lanester", 600)):
        await town.report(await town.masked_homes(3, area), [wh], AT)
    await close_records(town, OVER)
    before = await town.all_cells()
    await town.close_all(OVER)
    opened = {
        group: cell.homes - before[group, step, start].homes
        for (group, step, start), cell in (await town.all_cells()).items()
        if start == AT and cell != before[group, step, start]
    }
    assert sorted(opened.values()) == [3, 3, 6]


async def test_what_comes_later_is_offered_to_peers_by_the_hour_and_by_the_day(
    town: MaskedTown,
) -> None:
    for area in ("Lorient", "Lanester"):
        await town.record(await town.members(3, area), 100)
        await town.report(await town.masked_homes(2, area), [400], AT)
    later = OVER + timedelta(hours=20)
    await close_records(town, later)

    async def offered() -> set[Interval]:
        query = select(SeriesRow.interval).where(SeriesRow.device.endswith("-lanester-lorient"))
        return set((await town.connection.execute(query)).scalars())

    assert await offered() == set()
    await town.close_all(later)
    assert await offered() == {Interval.PT1H, Interval.P1D}
    name = "Lanester, Lorient"
    assert await town.civil(name, kind="combined") == (await town.shown(name, kind="combined"))[10]


@pytest.mark.parametrize("has_records", [True, False])
async def test_readers_cannot_tell_hours_that_a_witness_was_asked_for_from_others(
    town: MaskedTown, *, has_records: bool
) -> None:
    """An hour that was asked for and stays closed has a home that dominates the others."""
    if has_records:
        await town.record(await town.members(3), 100)
    homes = await town.masked_homes(3)
    dominated, too_few, waiting = (AT + hour * HOURS for hour in range(3))
    for home, wh in zip(homes, [9_000, 10, 20], strict=True):
        await town.report([home], [wh], dominated)
    await town.report(homes[:2], [400], too_few)
    await town.report(homes, [400], waiting)
    published = Published("kersabiec", town.people.zone, town.publication)

    async def read(start: datetime, until: datetime) -> tuple[CellOrReason, object]:
        """Return what pages and files, and other nodes, read of an hour."""
        everybody = (await published.places(town.connection))["all"]
        span = Span(AT.date(), AT.date())
        slots = await published.slots(town.connection, everybody, HOUR, span, until)
        cell = next(slot.cells[CONSUMPTION] for slot in slots if slot.start == start)
        series = own_series(everybody.device, CONSUMPTION, HOUR, town.people.zone.key)
        hour = Range(start, start + HOURS)
        records, beside = await published_records(town.connection, "kersabiec", series, hour)
        pushed = (
            [record.value for record in records],
            [*map(list, map(dict.values, beside.values()))],
        )
        return cell._replace(start=AT) if isinstance(cell, PublishedCell) else cell, pushed

    later = OVER + timedelta(hours=20)
    await close_records(town, later)
    assert [each.start for each in await openings(town.connection)] == [dominated, waiting]
    before, *others = [await read(start, later) for start in (dominated, too_few, waiting)]
    assert others == [before, before]
    await town.answer_openings(asks=lambda asked: asked.start == dominated)
    await close_records(town, later)
    assert [each.start for each in await openings(town.connection)] == [waiting]
    assert (await town.closed_hour(dominated, protected=True)).reason == Reason.DOMINANCE
    after = [await read(start, later) for start in (dominated, too_few, waiting)]
    assert after == [before, before, before]
    await town.close_all(later)
    assert [await read(start, later) for start in (dominated, too_few)] == [before, before]
    assert await read(waiting, later) != before
    if not has_records:
        assert before[0] == Withheld(Reason.MAY_FOLLOW, 3)
        settled, _ = await read(dominated, dominated + timedelta(days=36))
        assert settled == Withheld(Reason.BELOW_THRESHOLD, 3)


async def test_request_does_not_change_after_a_lost_answer(town: MaskedTown) -> None:
    """Another set of homes of that hour could be opened by no witness, and would be an attack."""
    homes = await town.masked_homes(3)
    await town.report(homes, [400], AT)
    await town.close(OVER)
    (asked,) = await openings(town.connection)
    late = await town.masked_home()
    # Its first report shows its direction.
    assert await town.push(late.jid, town.reports(late, [9_000], AT)) is None
    assert await town.push(homes[0].jid, town.reports(homes[0], [9_000], AT)) is None
    assert await openings(town.connection) == [asked]
    assert len(await reports_of_hour(town.connection, CONSUMPTION, AT)) == len(homes)


async def test_home_refused_by_the_witness_is_left_out(
    town: MaskedTown,
) -> None:
    homes = await town.masked_homes(3, "Lorient") + await town.masked_homes(3, "Lanester")
    await town.report(homes, [400], AT)
    await town.close(OVER)
    witness = town.witness(without=homes[:1])
    assert len(await town.answer_openings(witness)) == 2
    await town.close_all(OVER, witness)
    # Two are too few for Lorient alone.
    name = "Lanester, Lorient"
    assert (await town.shown(name, kind="combined"))[10] == 2_000


async def test_homes_count_from_their_first_permitted_hour(town: MaskedTown) -> None:
    """Earlier hours are published without them, and do not wait for them."""
    await town.record(await town.members(3), 100)
    homes = [await town.masked_home(records_from=AT) for _ in range(3)]
    await town.report(homes, [400], AT)
    await town.close_all(OVER)
    cells = {cell.start: cell for cell in await town.cells() if cell.homes}
    assert [cells[start].counting for start in (AT - HOURS, AT)] == [3, 6]
    closed, *_ = await town.closed(AT.date(), protected=True)
    assert (closed.start, closed.expected) == (AT, 3)


async def test_homes_opened_before_are_not_opened_again(town: MaskedTown) -> None:
    """A restored collective may ask for other reports of an hour than it did before."""
    homes = await town.masked_homes(3)
    await town.report(homes, [400], AT)
    town.opened_before = {home.permission for home in homes}
    await town.close_all(OVER)
    assert (await town.closed_hour(AT, protected=True)).reason == Reason.NOT_OPENED


@pytest.mark.parametrize("homes", [2, 3])
async def test_witness_is_asked_for_enough_homes_only(town: MaskedTown, homes: int) -> None:
    await town.report(await town.masked_homes(homes), [400], AT)
    await town.close(OVER)
    assert bool(await openings(town.connection)) == (homes == 3)
    await town.close_all(OVER)
    reason = None if homes == 3 else Reason.BELOW_THRESHOLD
    assert (await town.closed_hour(AT, protected=True)).reason == reason
    assert not await town.rows("masked_report")


async def test_a_dominated_sum_stays_closed_and_records_are_published_without_it(
    town: MaskedTown,
) -> None:
    await town.record(await town.members(3), 100)
    for wh, home in zip([9_000, 10, 20], await town.masked_homes(3), strict=True):
        await town.report([home], [wh], AT)
    await town.close_all(OVER)
    assert (await town.shown())[10] == 300


async def test_home_read_individually_counts_by_its_records_alone(town: MaskedTown) -> None:
    homes = await town.masked_homes(4)
    await town.report(homes, [400], AT)
    await town.record(await town.members(3), 100)
    await town.grant_records(homes[0])
    await town.record(homes[0].member, 200)
    await town.close_all(OVER)
    assert (await town.shown())[10] == 1_700
    assert (await town.counted())[10] == 7


async def test_records_read_in_during_a_witness_outage_count_once(
    town: MaskedTown,
) -> None:
    homes = await town.masked_homes(4)
    await town.report(homes, [400], AT)
    await town.record(await town.members(3), 100)
    await town.close(OVER)
    await close_records(town, AT + HOURS + timedelta(hours=2))
    await town.grant_records(homes[0])
    await town.record(homes[0].member, 200)
    await town.close_all(OVER)
    assert at_hours(await town.shown(), 9, 10, 11) == [300, 1_900, 500]


async def test_erased_home_is_in_no_later_opening(town: MaskedTown) -> None:
    homes = await town.masked_homes(4)
    await town.report(homes, [400], AT)
    await withdraw(town.people, homes[0].member, homes[0].permission, OVER, erase=True)
    await town.close_all(OVER)
    assert (await town.shown())[10] == 1_200


async def test_hour_closes_without_reports_of_forgotten_keys(
    town: MaskedTown,
) -> None:
    await town.record(await town.members(3), 100)
    await town.report(await town.masked_homes(3), [400], AT)
    await town.close(OVER)
    (asked,) = await openings(town.connection)
    await store_answer(town.connection, asked, given_up())
    await town.close_all(OVER)
    assert (await town.shown())[10] == 300
    assert (await town.closed_hour(AT, protected=True)).reason == Reason.NOT_OPENED
    assert not await town.rows("masked_report")


async def test_an_hour_of_two_witnesses_closes_once_when_both_have_answered(
    town: MaskedTown,
) -> None:
    await town.report(await town.masked_homes(3), [400], AT)
    other = StoredOpening(
        *(CONSUMPTION, AT, "other@commune.example", '{"groups": []}', bytes(32), b"", OVER)
    )
    await store_opening(town.connection, other)
    await close_records(town, OVER)
    await town.answer_openings(asks=lambda asked: asked.witness != other.witness)
    await close_records(town, OVER)
    assert await town.shown() == []
    assert AT not in [each.start for each in await town.closed(AT.date(), protected=True)]
    await store_answer(town.connection, other, given_up())
    await close_records(town, OVER)
    assert at_hours(await town.shown(), 10) == [1_200]
    assert (await town.closed_hour(AT, protected=True)).reason == Reason.NOT_OPENED


@pytest.mark.parametrize("is_late", [False, True])
async def test_an_hour_is_given_up_a_day_before_its_keys_are_forgotten(
    town: MaskedTown, *, is_late: bool
) -> None:
    """A witness that is back before then opens it, however long its collective waited."""
    await town.record(await town.members(3), 100)
    await town.report(await town.masked_homes(3), [400], AT)
    await town.close(OVER)
    back = AT + WAITED + (MINUTE if is_late else -MINUTE)
    await give_up(town.connection, sure(back))
    assert bool(await openings(town.connection, unanswered=True)) is not is_late
    town.at = back
    await town.close_all(back)
    assert (await town.shown())[10] == (300 if is_late else 1_500)
    closed = await town.closed_hour(AT, protected=True)
    assert closed.reason == (Reason.NOT_OPENED if is_late else None)
    assert WAITED < KEPT


async def test_the_last_report_of_an_hour_counts(town: MaskedTown) -> None:
    homes = await town.masked_homes(3)
    await town.report(homes, [400], AT)
    await town.report(homes[:1], [500], AT)
    await town.close_all(OVER)
    assert (await town.shown())[10] == 1_300


async def test_unpermitted_reports_are_refused(town: MaskedTown) -> None:
    home, other = await town.masked_homes(2)
    late = await town.masked_home(records_from=AT)
    whole = town.reports(home, [400], AT)
    await town.members(1)
    await town.grant_records(other)
    of_records = replace(town.reports(other, [400], AT), permission=f"{other.member}")
    refusals = [
        await town.push("stranger@example.org", whole),
        await town.push(other.jid, whole),
        await town.push(other.jid, of_records),
        await town.push(home.jid, replace(whole, direction=Direction.INJECTION)),
        await town.push(home.jid, town.reports(home, [1], AT - timedelta(days=99))),
        # One of two hours is too early, and one of two is to come.
        await town.push(late.jid, town.reports(late, [1, 1], AT - HOURS)),
        await town.push(home.jid, town.reports(home, [1, 1], OVER)),
        await town.push(home.jid, town.reports(home, [1], OVER + HOURS)),
        await town.push(home.jid, town.reports(home, [1], AT, date(2026, 7, 13))),
        await town.push(home.jid, town.reports(home, [1], AT, date(2026, 7, 17))),
    ]
    assert [type(refusal) for refusal in refusals] == [*6 * [NotAuthorized], *4 * [BadRequest]]
    assert refusals[-1] is not None
    assert "set your clock" in sentence(refusals[-1]).say()
    assert not await town.rows("masked_report")
    # The direction of a series is that of its first report.
    assert await town.push(home.jid, whole) is None
    injected = replace(whole, direction=Direction.INJECTION)
    assert isinstance(await town.push(home.jid, injected), NotAuthorized)
    town.at = LATER
    assert isinstance(await town.push(home.jid, whole), NotAuthorized)


def of_directions(*directions: Direction) -> DataNeed:
    """Return the need of sums of what a meter counts in these directions."""
    series = frozenset(DataNeedSeries(way, Quantity.ENERGY) for way in directions)
    return replace(NEED_OF_SUMS, series=series)


async def test_reports_are_of_a_direction_that_was_asked_for(town: MaskedTown) -> None:
    """A meter names as production what a collective asks for as injection."""
    need = of_directions(Direction.INJECTION)
    home = await town.masked_home(need=need, way=Direction.PRODUCTION)
    whole = town.reports(home, [400], AT)
    produced, injected = (
        replace(whole, direction=way) for way in (Direction.PRODUCTION, Direction.INJECTION)
    )
    assert isinstance(await town.push(home.jid, produced), NotAuthorized)
    assert await town.push(home.jid, injected) is None


async def test_later_reports_are_of_the_direction_of_the_first_one(town: MaskedTown) -> None:
    """Otherwise one meter would count in two sums."""
    need = of_directions(Direction.INJECTION, Direction.PRODUCTION)
    home = await town.masked_home(need=need, way=Direction.PRODUCTION)
    whole = town.reports(home, [400], AT)
    assert await town.push(home.jid, replace(whole, direction=Direction.INJECTION)) is None
    produced = replace(whole, direction=Direction.PRODUCTION)
    assert isinstance(await town.push(home.jid, produced), NotAuthorized)


async def test_an_hour_waits_for_a_home_that_reported_lately(town: MaskedTown) -> None:
    """Closed at once, it would be in no sum with the report that is under way."""
    *others, late = homes = await town.masked_homes(4)
    town.at = AT + HOURS
    await town.report(homes, [400], AT)
    town.at = AT + 2 * HOURS
    await town.report(others, [400], AT + HOURS)
    await close_records(town, town.at)
    assert [each.start for each in await openings(town.connection)] == [AT]
    await town.report([late], [400], AT + HOURS)
    await close_records(town, town.at)
    assert [each.start for each in await openings(town.connection)] == [AT, AT + HOURS]


async def test_an_hour_waits_while_reports_of_it_keep_coming(town: MaskedTown) -> None:
    homes = await town.masked_homes(4)
    town.at = AT + HOURS
    await town.report(homes, [400], AT)
    hour, over, wait = AT + HOURS, AT + 2 * HOURS, town.publication.wait
    town.at = over + wait - MINUTE
    await town.report(homes[1:], [400], hour)
    await close_records(town, over + wait)
    assert [each.start for each in await openings(town.connection)] == [AT]
    await close_records(town, over + 2 * wait - MINUTE)
    assert [each.start for each in await openings(town.connection)] == [AT, hour]


@pytest.mark.parametrize("day", [date(2026, 7, 14), date(2026, 7, 16)])
async def test_a_key_of_the_day_before_or_after_is_taken(town: MaskedTown, day: date) -> None:
    """Clocks of homes differ, and a message is under way."""
    home = await town.masked_home()
    assert await town.push(home.jid, town.reports(home, [400], AT, day)) is None


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (update(MaskedReportRow).values(nonce=bytes(16)), "too late"),
        (update(OpeningRow).values(start=AT + HOURS), "another hour"),
        (delete(OpeningRow), "not to be removed"),
        (update(MemberPermissionSeriesRow).values(masked_direction=None), "not altered"),
        (update(MemberPermissionSeriesRow).values(series_id=1), "no record does"),
    ],
)
async def test_database_refuses_to_alter_an_opening(
    file: Store, change: object, error: str
) -> None:
    async with file.writing() as connection:
        town = MaskedTown(connection, at=OVER)
        await town.report(await town.masked_homes(3), [400], AT)
        await town.close(OVER)
    with pytest.raises(DatabaseError, match=error):
        async with file.writing() as connection:
            await connection.execute(change)  # type: ignore[call-overload]


@pytest.mark.parametrize("column", ["groups", "request", "sums_sent"])
async def test_database_lets_the_sums_of_one_set_of_homes_leave(file: Store, column: str) -> None:
    """Whatever the program asks next: a witness would read the difference of two."""
    async with file.writing() as connection:
        town = MaskedTown(connection, at=OVER)
        await town.report(await town.masked_homes(3), [400], AT)
        await town.close(OVER)
        (asked,) = await openings(connection)
        assert await note_sums_sent(connection, asked)
    values = {"groups": "{}", "request": bytes(66), "sums_sent": 0}
    with pytest.raises(DatabaseError, match="the sums of these homes have left"):
        async with file.writing() as connection:
            await connection.execute(update(OpeningRow).values({column: values[column]}))
    async with file.writing() as connection:
        await ask_less(connection, replace(asked, groups="{}", request=bytes(66)))
        assert await note_sums_sent(connection, asked)
        assert await openings(connection) == [replace(asked, sums_sent=True)]


async def test_stored_reports_look_like_random_bytes(store: Store, place: Path | str) -> None:
    """Every home has the same in every hour: what is stored looks as if it were drawn by lot."""
    wh = 31_337
    async with store.writing() as connection:
        town = MaskedTown(connection, at=OVER)
        homes = await town.masked_homes(40)
        await town.report(homes, 10 * [wh], AT.replace(hour=1))
        await town.close(OVER)
        rows = await town.rows("masked_report")
        assert await town.rows("opening")
        masked = [bytes(part) for row in rows for part in row if isinstance(part, bytes)]
        content = await everything(connection)
    await store.checkpoint()
    if isinstance(place, Path):
        content += b"".join(path.read_bytes() for path in place.parent.iterdir() if path.is_file())
    plain = [
        str(wh).encode(),
        wh.to_bytes(8),
        wh.to_bytes(8, "little"),
        (wh * wh).to_bytes(8, "little"),
    ]
    assert not [word for word in plain if word in content]
    assert len(masked) == len(set(masked)) == 40 * 10 * 2
    counts = Counter(b"".join(masked))
    expected = sum(map(len, masked)) / 256
    chi_square = sum((counts[byte] - expected) ** 2 / expected for byte in range(256))
    # Of 255 degrees of freedom: beyond this in one drawing of a million. The keys are always these.
    assert chi_square < 380


class AbsentWitness(AskedWitness):
    """A witness that is away at first, and again once it has verified homes."""

    async def verify_reports(self, collective: str, request: VerificationRequest) -> Verified:
        if not self.asked:
            self.asked.append(request)
            raise ResourceConstraint
        return await super().verify_reports(collective, request)

    async def open_sums(self, collective: str, opening: Opening) -> Opened:
        if isinstance(self.asked[-2], VerificationRequest):
            self.asked.append(opening)
            raise ResourceConstraint
        return await super().open_sums(collective, opening)


async def test_a_witness_is_asked_until_it_has_answered(file: Store) -> None:
    """Each time from the beginning: the sums of the same homes follow their verification."""
    async with file.writing() as connection:
        town = MaskedTown(connection, at=OVER)
        homes = await town.masked_homes(4)
        await town.report(homes, [400], AT)
        await town.close(OVER)
    witness = AbsentWitness(town.witness(without=homes[:1]), OVER.date())
    changes = Changes()
    await answered(file, witness, changes)
    assert changes.count
    first, again, less, away, once_more, sums = witness.asked
    assert first == again
    assert less == once_more
    assert away == sums
    assert isinstance(first, VerificationRequest)
    assert isinstance(less, VerificationRequest)
    assert isinstance(sums, Opening)
    assert (len(first.groups[0].parts), len(less.groups[0].parts)) == (4, 3)
    async with file.reading() as connection:
        (opening,) = await openings(connection)
    assert [cell.watt_minutes for cell in read_answer(opening).cells.values()] == [3 * 400 * 60]
