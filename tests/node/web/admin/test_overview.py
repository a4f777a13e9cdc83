"""The first page: what needs a person, and the coverage of granted series."""

from dataclasses import replace
from datetime import date, time, timedelta
import re
import shutil
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import OperationalError

from consometers_node.collective.calendar import Span
from consometers_node.collective.counters import Counts
from consometers_node.collective.disclosure.reasons import INTERVAL_REASONS, Reason
from consometers_node.collective.disclosure.sdc_rules import NOT_ZERO
from consometers_node.collective.members import invitations
from consometers_node.collective.members.member_overview import (
    MemberEntry,
    Status,
    member_overview,
    shares,
    shares_by_direction,
)
from consometers_node.collective.members.members import MemberKind, Members
from consometers_node.collective.monitoring.backups import BackupStep, note
from consometers_node.collective.permissions import member_permissions, needs
from consometers_node.collective.publication.policy import AT_ONCE, NOT_YET, InForce, open_from
from consometers_node.i18n.text import Text, TranslatedError, printed
from consometers_node.permission import Reading
from consometers_node.series import Direction, Interval
from consometers_node.store.clock import Clock
from consometers_node.store.collective.publication import ClosedInterval, write
from consometers_node.store.collective.tables import (
    MemberId,
    MemberPermissionId,
    MemberPermissionSeriesRow,
)
from consometers_node.store.settings import set_setting
from consometers_node.store.tables import BlockRow, SeriesRow, SettingRow
from consometers_node.web.admin.overview import concerns, heatmap
from testing.clocks import Hands, confirmed
from testing.collectives.members import OWN, meter, permission
from testing.homes.data_needs import NEED, PROTECTED
from testing.pages.office import DAY, Office, serving, settle_together
from testing.pages.town import NOW, ZONE
from testing.pages.village import permission_id_of

TODAY = NOW.astimezone(ZONE).date()
WINDOW = Span.before(TODAY, 30)


async def settle(office: Office) -> None:
    """Admit a home that sends all, one with holes, a silent one, a refusing one, and a guest."""
    async with office.village() as village:
        await village.join("whole", injects=True)
        await village.join("holes", shares={TODAY - 2 * DAY: 0, TODAY - 3 * DAY: 0.5})
        await village.join("silent", heard=timedelta(days=10))
        await village.join("late", days=10, problem="item-not-found")
        await village.join("never", heard=None, days=20)
        await village.invite("guest")


async def test_an_empty_collective_shows_how_to_invite(office: Office) -> None:
    page = await (await office.enter()).open("")
    assert "No member yet" in page.text
    assert page.link("invitations")
    assert page.link("needs")
    assert "Members have no data request" not in page.text


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("invitations", "No invitation yet"),
        ("needs", "No data request yet"),
        ("municipalities", "nothing leaves your collective"),
        ("register", "No data was ever requested"),
        ("register.csv", ""),
        ("policy.md", "[make this draft again after"),
    ],
)
async def test_pages_without_data_say_so(office: Office, place: str, words: str) -> None:
    page = await (await office.enter()).open(place)
    assert page.status == 200
    assert words in page.text


async def test_tasks_come_first(office: Office) -> None:
    await settle(office)
    page = await (await office.enter()).open("")
    assert page.text.index("To do") < page.text.index("Data, day by day")
    assert "2 members have sent no data for three days." in page.text
    assert "One member’s node refuses some of the allowed data." in page.text
    assert "One home joined two weeks ago or more" in page.text
    (silent,) = {link for link in page.links if link.endswith("members?show=silent")}
    shown_page = await (await office.enter()).open(str(page.url.join(page.url.__class__(silent))))
    assert shown_page.text.count("never") == 1


async def test_overview_without_problems_says_all_is_well(office: Office) -> None:
    await settle_together(office)
    page = await (await office.enter("fr")).open("")
    assert "Tout va bien" in page.text
    assert "Rien à faire" in page.text
    assert "il y a 5 heures" in page.text
    assert "Dernière copie hors site" in page.text


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (BackupStep.MADE, "No backup was ever made: set up the nightly backup."),
        (BackupStep.COPIED, "The backups were never copied off the site"),
    ],
)
async def test_all_is_well_never_stands_above_a_backup_that_was_never_made(
    office: Office, step: BackupStep, words: str
) -> None:
    await settle_together(office)
    async with office.store.writing() as connection:
        await connection.execute(delete(SettingRow).where(SettingRow.key == f"backup.{step}"))
    page = await (await office.enter()).open("")
    assert "none yet" in page.text
    assert "All is well" not in page.text
    assert "Nothing to do" not in page.text
    assert words in page.text


async def test_the_overview_reports_stopped_backups(office: Office) -> None:
    await settle_together(office)
    office.clock.go_on(timedelta(days=3))
    page = await (await office.enter()).open("")
    assert "No backup for 3 days: check the nightly backup." in page.text
    assert "No test restore" not in page.text
    assert "3 days ago" in page.text
    assert "3 days ago" not in (await (await office.enter()).open("health")).text


@pytest.mark.parametrize(("late", "counted"), [(0, "12 of 12 homes"), (4, "12 of 16 homes")])
async def test_the_overview_counts_the_homes_that_the_public_page_counts(
    office: Office, late: int, counted: str
) -> None:
    await settle_together(office, late=late)
    page = await (await office.enter()).open("")
    public = await (await office.browser()).open("/")
    assert f"Homes that reported {counted}" in public.text
    assert f"Counted in the latest published figures {counted}" in page.text
    assert ("All is well" in page.text) is (not late)
    assert (f"only {counted.removesuffix(' homes')} homes are counted" in page.text) is bool(late)


async def test_the_overview_leads_to_the_report_of_the_last_month_and_its_year(
    office: Office,
) -> None:
    assert "Reports" not in (await (await office.enter()).open("")).text
    await settle_together(office)
    page = await (await office.enter()).open("")
    for address in ("report/month/2026-05", "report/year/2026"):
        assert (await (await office.browser()).open(page.link(address))).status == 200


async def test_members_of_the_overview_add_up(office: Office) -> None:
    async with office.village() as village:
        for name in ("one", "two", "three"):
            await village.join(name)
        await village.join("today", days=0, heard=None)
        await village.invite("guest")
        await needs.offer(village.connection, PROTECTED, NOW - DAY)
        for name in ("masked", "too"):
            member = await village.invite(name)
            granted = permission(
                meter(name),
                id=permission_id_of(name),
                need=PROTECTED,
                at=NOW - DAY,
                reading=Reading.SUM,
            )
            await member_permissions.take(village.members, member.id, granted, NOW - DAY, own=OWN)
    page = await (await office.enter()).open("")
    assert "Members delivering 6 Silent 0 No permission yet 1" in page.text
    assert "3 of 3 members" in page.text
    assert (
        "2 members are in protected sums alone: nobody here can read their hours, so" in page.text
    )
    assert "counted day by day. 1 member has no whole day yet." in page.text


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("well", "All is well"),
        ("closed", "The collective is closed"),
        ("later", "Nothing new is published before 12 June 2026"),
        ("unreadable", "The publication rules cannot be read"),
        ("past", "The history is being published"),
        ("few", "Too few homes reported"),
        ("dominated", "A few homes make most of it"),
        ("idle", "A few homes make most of it"),
        (
            "silent",
            "From the grid: 11 intervals since yesterday are not published. No member",
        ),
        ("late", "The node has not closed them"),
    ],
)
async def test_the_overview_and_the_public_page_never_disagree(
    office: Office, how: str, expected: str
) -> None:
    """The first page of all says what of yesterday and today the public does not see."""
    sizes = {
        "few": {"homes": 9},
        "dominated": {"large": 30_000},
        "idle": {"idle": 12 - NOT_ZERO + 1},
        "silent": {"hours": 2},
    }
    if how in {"past", "late", "unreadable"}:
        await settle(office)
    else:
        await settle_together(office, **sizes.get(how, {}))
    async with office.village() as village:
        opens, at = AT_ONCE, NOW - 40 * DAY
        match how:
            case "closed":
                opens = NOT_YET
            case "later":
                opens = date(2026, 6, 12)
            case "past":
                at = NOW
            case "unreadable":
                await set_setting(village.connection, "publication", "{")
        await open_from(village.connection, opens, "Maëlle", at)
    page = await (await office.enter()).open("")
    public = await (await office.browser()).open("/")
    assert expected in page.text
    is_well = "All is well" in page.text
    shows_all = "Soon here" not in public.text and "not published" not in public.text
    if how in {"closed", "later"}:
        # Figures published before it was closed stay.
        assert not is_well
    else:
        assert is_well is shows_all is (how == "well")


@pytest.mark.parametrize("reason", [why for why in INTERVAL_REASONS if why is not Reason.NOT_YET])
async def test_each_reason_that_closes_an_hour_is_shown_with_its_remedy(
    office: Office, reason: Reason
) -> None:
    await settle_together(office)
    async with office.village() as village:
        await open_from(village.connection, AT_ONCE, "Maëlle", NOW - 40 * DAY)
        hidden = ClosedInterval(
            direction=Direction.PRODUCTION,
            interval=Interval.PT1H,
            start=NOW.replace(minute=0) - timedelta(hours=2),
            closed_at=NOW,
            expected=12,
            response=12,
            reason=reason,
        )
        await write(village.connection, [], [hidden])
    for language in ("en", "fr"):
        browser = await office.enter(language)
        for words, page in ((reason.remedy, ""), (reason.short, "publication")):
            assert words is not None
            assert " ".join(printed(words, language).split()) in (await browser.open(page)).text


async def test_members_are_listed_worst_first_by_page(office: Office) -> None:
    async with office.village() as village:
        for n in range(27):
            await village.join(f"h{n}", days=5, shares={TODAY - DAY: n / 30})
    browser = await office.enter()
    page = await browser.open("?days=60")
    assert "1 to 25 of 27" in page.text
    shown = [word for word in page.text.split() if word.endswith("%")]
    assert shown == sorted(shown, key=lambda shown_share: float(shown_share[:-1]))
    page = await browser.open("?days=60&page=2")
    assert "26 to 27 of 27" in page.text
    for odd in ("?page=0", "?page=-1", "?page=99999999999", "?page=x", "?days=7", "?page=٢"):
        assert (await browser.open(odd)).status == 200


async def test_coverage_is_the_share_of_granted_days(office: Office) -> None:
    await settle(office)
    async with office.store.reading() as connection:
        overview = await member_overview(connection, ZONE, WINDOW, NOW)
        named = {
            (await Members(connection, ZONE).get(entry.id)).jid: entry for entry in overview.entries
        }
        holes = named["holes@example.org"]
        days = await shares(connection, [holes.id], WINDOW)
        ways = await shares_by_direction(connection, named["whole@example.org"].id, WINDOW)
    assert named["whole@example.org"].there == 1
    assert holes.there == pytest.approx(28.5 / 30)
    assert days[holes.id][TODAY - 3 * DAY] == 0.5
    assert TODAY - 2 * DAY not in days[holes.id]
    assert set(ways) == {Direction.CONSUMPTION, Direction.INJECTION}
    assert ways[Direction.INJECTION][TODAY - DAY] == 1
    assert named["late@example.org"].there == 1
    assert named["late@example.org"].problems == 1
    assert named["never@example.org"].there == 0
    assert named["guest@example.org"].there is None
    assert {name.partition("@")[0]: entry.status for name, entry in named.items() if name} == {
        "whole": Status.DELIVERING,
        "holes": Status.DELIVERING,
        "late": Status.DELIVERING,
        "silent": Status.SILENT,
        "never": Status.SILENT,
        "guest": Status.GUEST,
    }


async def test_member_in_protected_sums_alone_delivers_and_has_no_share(office: Office) -> None:
    at = NOW - DAY
    await settle(office)
    async with office.village() as village:
        await needs.offer(village.connection, PROTECTED, at)
        masked = await village.invite("masked")
        granted = permission(meter("masked"), need=PROTECTED, at=at, reading=Reading.SUM)
        await member_permissions.take(village.members, masked.id, granted, at, own=OWN)
    overview = await office.read(member_overview, ZONE, WINDOW, NOW)
    (entry,) = [entry for entry in overview.entries if entry.id == masked.id]
    assert (entry.status, entry.there, entry.since) == (Status.DELIVERING, None, None)
    # It is in no day's count of members whose records are read.
    assert [(day.granted, day.missing) for day in overview.days][-1] == (5, 2)
    page = await (await office.enter("fr")).open("members")
    assert page.text.count("Seulement en sommes protégées") == 1


async def test_a_member_whose_report_is_invalid_is_named_with_its_hour(office: Office) -> None:
    hour = NOW.replace(minute=0) - timedelta(hours=2)
    async with office.village() as village:
        for name in ("honest", "invalid"):
            await village.join(name)
        of_invalid = MemberPermissionSeriesRow.permission_id == permission_id_of("invalid")
        change = update(MemberPermissionSeriesRow).where(of_invalid).values(invalid_at=hour)
        await village.connection.execute(change)
    browser = await office.enter()
    page = await browser.open("")
    assert "The reports of one member do not prove their values" in page.text
    (link,) = {link for link in page.links if link.endswith("members?show=invalid")}
    page = await browser.open(link)
    (member,) = {link for link in page.links if re.search("members/[a-z0-9]{8}$", link)}
    page = await browser.open(member)
    assert "invalid@example.org" in page.text
    assert re.search(rf"Invalid report \([^)]* {hour.astimezone(ZONE):%H:%M}\): it", page.text)


async def test_days_are_counted_over_all_members(office: Office) -> None:
    await settle(office)
    days = (await office.read(member_overview, ZONE, WINDOW, NOW)).days
    assert [day.day for day in days] == list(WINDOW)
    days_shown = {day.day: (day.granted, day.whole, day.partly, day.missing) for day in days}
    assert days_shown[TODAY - DAY] == (5, 3, 0, 2)
    assert days_shown[TODAY - 2 * DAY] == (5, 2, 0, 3)
    assert days_shown[TODAY - 3 * DAY] == (5, 2, 1, 2)
    assert days_shown[TODAY - 15 * DAY] == (4, 3, 0, 1)
    assert days_shown[TODAY - 30 * DAY] == (3, 3, 0, 0)


async def test_first_day_of_a_grant_is_never_expected_whole(office: Office) -> None:
    async with office.village() as village:
        await village.join("noon", days=3, begins=time(12), shares={TODAY - 3 * DAY: 0.5})
    overview = await office.read(member_overview, ZONE, WINDOW, NOW)
    (noon,) = overview.entries
    assert (noon.since, noon.there) == (TODAY - 2 * DAY, 1)
    days_shown = {
        day.day: (day.granted, day.whole, day.partly, day.missing) for day in overview.days
    }
    assert days_shown[TODAY - 3 * DAY] == (0, 0, 0, 0)
    assert days_shown[TODAY - 2 * DAY] == (1, 1, 0, 0)


async def test_one_of_two_directions_counts_as_half_a_day(
    office: Office,
) -> None:
    async with office.village() as village:
        await village.join("two", days=4, injects=True)
        injection = select(SeriesRow.id).where(SeriesRow.direction == Direction.INJECTION)
        await village.connection.execute(delete(BlockRow).where(BlockRow.series_id.in_(injection)))
    (entry,) = (await office.read(member_overview, ZONE, WINDOW, NOW)).entries
    assert entry.there == 0.5


async def test_former_members_are_not_counted(office: Office) -> None:
    async with office.village() as village:
        await village.join("gone")
        await member_permissions.terminate(
            village.members, MemberPermissionId(permission_id_of("gone")), NOW
        )
    overview = await office.read(member_overview, ZONE, WINDOW, NOW)
    assert [entry.status for entry in overview.entries] == [Status.LEFT]
    assert {day.granted for day in overview.days} == {0}


def test_heatmap_draws_days_by_shape() -> None:
    window = Span(date(2026, 6, 1), date(2026, 6, 4))
    entry = MemberEntry(
        id=MemberId(1),
        pseudonym="abcdefgh",
        kind=MemberKind.HOME,
        name=None,
        nickname=None,
        area=None,
        status=Status.DELIVERING,
        joined_at=NOW,
        last_received_at=NOW,
        problems=0,
        invalid=0,
        since=date(2026, 6, 2),
        until=date(2027, 6, 2),
        there=None,
        is_masked=False,
    )
    drawn = heatmap.row(entry, {date(2026, 6, 2): 1.0, date(2026, 6, 3): 0.01}, window)
    assert (drawn.whole, drawn.partly, drawn.missing) == (1, 1, 1)
    assert set(drawn.paths) == {"whole", "partly", "frame", "missing"}
    assert f"M{heatmap.STEP} 0" in drawn.paths["whole"]
    assert drawn.width == 4 * heatmap.STEP - heatmap.GAP


# Tasks.


async def test_the_overview_reports_what_expires_and_lacks_an_answer(office: Office) -> None:
    async with office.village() as village:
        await village.join("old", days=350)
        await village.join("gone")
        ended = MemberPermissionId(permission_id_of("gone"))
        await member_permissions.terminate(village.members, ended, NOW - timedelta(days=9))
        other = replace(NEED, id="batteries", title={"en": "Batteries", "fr": "Batteries"})
        await needs.offer(village.connection, other, NOW - timedelta(days=20))
        for days in (3, 30):
            expires = NOW + timedelta(days=days)
            await invitations.make(village.connection, at=NOW, expires_at=expires)
    page = await (await office.enter()).open("")
    assert "A permission of one member expires within 30 days." in page.text
    assert "One member could not be informed for a week" in page.text
    assert "One usable invitation expires within a week." in page.text
    assert "nobody has answered “Batteries”" in page.text
    assert "“Sunny roofs”" not in page.text


@pytest.mark.parametrize(("free", "word"), [(10**8, "wrong"), (6 * 10**9, "warn")])
async def test_the_overview_reports_a_nearly_full_disk(
    office: Office, monkeypatch: pytest.MonkeyPatch, free: int, word: str
) -> None:
    usage = SimpleNamespace(total=10**11, used=10**11 - free, free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    page = await (await office.enter()).open("health")
    assert page.status == 200
    await settle(office)
    page = await (await office.enter()).open("")
    assert "% full" in page.text
    assert ("li", "class", f"notice {word}") in page.attributes


class Node(SimpleNamespace):
    """A node that is not on the network, and whose database is away."""

    def look_again(self) -> None:
        self.looked = True


async def test_the_overview_begins_with_a_node_that_cannot_work(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concerns, "installed", lambda _: "9")
    problem = Text(
        {"en": "The disk of the database is full.", "fr": "Le disque de la base est plein."}
    )
    network = TranslatedError(Text({"en": "No way.", "fr": "Pas de chemin."}))
    node: Any = Node(
        database_problem=problem, is_online=False, network_problem=network, clock=Clock()
    )
    await settle(office)
    async with serving(office.store, office.settings, node) as other:
        page = await (await other.enter()).open("")
    assert "The disk of the database is full." in page.text
    assert "The collective is not on the network: No way." in page.text
    assert page.text.index("No way.") < page.text.index("sent no data")
    assert "Version 9 is installed, and 0 still runs" in page.text


# The health page.


async def test_the_health_page_shows_figures(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    node: Any = Node(
        store=office.store,
        settings=office.settings,
        rules=InForce(office.settings.publication),
        counts=Counts(since=NOW),
        network=None,
        is_online=True,
        database_problem=None,
        clock=await confirmed(office.store, Hands(NOW)),
    )
    assert await office.read(node.clock.look) is None
    monkeypatch.setattr(concerns, "installed", lambda _: "0")
    await settle(office)
    async with office.store.writing() as connection:
        for step in BackupStep:
            await note(connection, step, NOW)
    async with serving(office.store, office.settings, node) as other:
        browser = await other.enter("fr")
        page = await browser.open("health")
        assert "Il est sur le réseau" in page.text
        assert "foyers : 5 bâtiments publics : 0 collectifs : 0" in page.text
        assert re.search(r"\d\u202f[KMG]io", page.html)
        await browser.fill("members", "members", ("q", "x"))


# Failures.


async def test_a_page_reports_an_unreachable_database(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = await office.enter()

    def away() -> Any:
        raise OperationalError("SELECT", {}, Exception("no route"))

    with monkeypatch.context() as while_away:
        while_away.setattr(office.store, "writing", away)
        office.clock.go_on(timedelta(minutes=2))
        page = await browser.open("")
        assert page.status == 200
        page = await browser.send(page, "logout")
        assert page.status == 503
        assert "The database cannot be used (its answer: “no route”)" in page.text
        while_away.setattr(office.store, "reading", away)
        assert (await browser.open("")).status == 503
        assert (await browser.open("nothing")).status == 503
    assert (await browser.open("")).status == 200


async def test_an_internal_error_page_hides_the_error(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    browser = await office.enter()
    monkeypatch.setattr(heatmap, "columns", lambda _: 1 / 0)
    page = await browser.open("")
    assert page.status == 500
    assert "An error occurred in the node" in page.text
    assert "ZeroDivision" not in page.html
    assert "could not be made" in caplog.text
