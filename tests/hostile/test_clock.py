"""A bad day: the clock of a node is wrong when it starts, or is set while it runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, override

from aiohttp import ClientSession
import pytest
from yarl import URL

from consometers_node.collective.ingestion.arrivals import Arrivals
from consometers_node.collective.ingestion.backfill import Backfill
from consometers_node.collective.members.members import Members
from consometers_node.collective.monitoring.health import Watch
from consometers_node.collective.permissions import member_permissions
from consometers_node.collective.privacy.erasure import erase
from consometers_node.collective.privacy.retention import Retention
from consometers_node.collective.publication.closing.worker import Publishing
from consometers_node.collective.publication.policy import InForce
from consometers_node.household.recorder.availability import SEEN
from consometers_node.permission import Choice, Permissions, State, WrongClock
from consometers_node.sharing.changes import Changes
from consometers_node.sharing.names import keep_collective
from consometers_node.sharing.permissions.consent import check, data_request as asked_for, grant
from consometers_node.store import Store
from consometers_node.store.clock import (
    AWAY_FOR,
    BACK_BY,
    STEP_S,
    Clock,
    ClockDoubt,
    ClockDoubtReason,
    confirm,
)
from consometers_node.store.collective.access_log import Read, note_read, reads
from consometers_node.store.collective.member_series import of_member
from consometers_node.store.household.coverage import absences
from consometers_node.store.peers import add_peer
from consometers_node.store.series import stored_days
from consometers_node.store.settings import set_setting, setting
from consometers_node.web.public.site import PublicSite
from consometers_quoalise_network import NotStored
from demo.servers.prosody import Prosody
from testing.clocks import Hands, confirmed, leaping, set_aside_the_clock_of
from testing.collectives.members import AT, ZONE, join, meter, permission
from testing.collectives.records import pushed_data, running_queue
from testing.collectives.watched import node_of
from testing.databases.fixtures import KINDS, Place
from testing.home_assistant.rows import rows
from testing.home_assistant.sync import DRAWN, NAME, running_sync
from testing.home_assistant.toy import ToyHomeAssistant, asked, serving
from testing.homes.data_needs import HOURLY, NEED, YES, now
from testing.homes.ledgers import HOUR, NAMING, Ledger, midnight, run_out
from testing.homes.running import running
from testing.homes.served import API_TOKEN, ServedHome, running as home_running, toy
from testing.pages.office import NAME as CLERK, Office, SessionClock as Wall, serving as opening
from testing.pages.town import ReleasedTown, settings
from testing.run import DEADLINE_S
from testing.waiting import until
from testing.xmpp.fixtures import NewAccount

HOMES = ("a", "b", "c")
MINUTE, A_DAY, A_YEAR = timedelta(minutes=1), timedelta(days=1), timedelta(days=365)
WRONG = [3 * A_YEAR, -3 * A_YEAR]
MIDNIGHT = (AT + A_DAY).replace(hour=0)
NOW = AT + 2 * A_DAY


@dataclass
class Coop:
    """A collective with three homes, their records, a guest and a log; and its clock."""

    store: Store
    hands: Hands
    clock: Clock
    upkeep: Retention

    def start(self) -> None:
        """Restart the node: its memory of the clock is gone."""
        self.clock = self.hands.clock()
        self.upkeep = Retention(self.store, ZONE, Changes(), self.clock)

    async def look(self, times: int = 5) -> None:
        """Check the clock, as every five minutes."""
        for _ in range(times):
            await self.upkeep.look()
            self.hands.go_on(5 * MINUTE)

    async def doubt(self) -> ClockDoubtReason | None:
        async with self.store.reading() as connection:
            doubt = await self.clock.look(connection)
        return None if doubt is None else doubt.reason

    async def confirm(self) -> None:
        """Confirm the clock as an administrator, in another process perhaps."""
        async with self.store.writing() as connection:
            await confirm(connection, self.hands.at)

    async def states(self) -> set[State]:
        async with self.store.reading() as connection:
            return {
                granted.state for granted in await member_permissions.all_permissions(connection)
            }

    async def has_all(self) -> bool:
        """Return whether all is there: grants, records, the guest, the log."""
        async with self.store.reading() as connection:
            members = await Members(connection, ZONE).all()
            return (
                {each.state for each in await member_permissions.all_permissions(connection)}
                == {State.GRANTED}
                and len(await stored_days(connection)) == len(HOMES)
                and len(members) == len(HOMES) + 1
                and all(each.jid is not None for each in members)
                and len(await reads(connection)) == 1
            )

    async def records(self) -> int:
        async with self.store.reading() as connection:
            return len(await stored_days(connection))


async def fill(store: Store) -> None:
    await keep_collective(store, "kersabiec")
    async with store.writing() as connection:
        await set_aside_the_clock_of(connection)
        for name in HOMES:
            await join(connection, name, permission(meter(name), id=name))
        await Members(connection, ZONE).admit("guest@example.org", AT)
        await note_read(connection, Read(at=AT, who="someone", what="a page"))
    async with running_queue(store) as queue:
        for name in HOMES:
            await queue.keep(f"{name}@example.org", pushed_data(meter(name), MIDNIGHT, [300] * 24))


@pytest.fixture(params=KINDS)
async def coop(
    request: pytest.FixtureRequest,
    patterns: dict[str, Place],
    new_place: Callable[[str], Place],
    new_database: Callable[[str], Awaitable[Place]],
) -> AsyncIterator[Coop]:
    """Copy a cooperative that was made once: each test has its own."""
    pattern = f"a cooperative in {request.param}"
    if pattern not in patterns:
        place = new_place(request.param)
        store = await Store.open(place)
        await fill(store)
        await store.close()
        patterns[pattern] = place
    store = await Store.open(await new_database(pattern))
    hands = Hands(NOW)
    clock = await confirmed(store, hands)
    coop = Coop(store, hands, clock, Retention(store, ZONE, Changes(), clock))
    await coop.look(1)
    assert await coop.has_all()
    yield coop
    await store.close()


@pytest.mark.parametrize("by", WRONG)
@pytest.mark.parametrize("logs_in", [True, False])
async def test_a_clock_wrong_by_years_ends_nothing_and_is_logged_once(
    coop: Coop, by: timedelta, logs_in: bool, caplog: pytest.LogCaptureFixture
) -> None:
    coop.hands.at += by
    coop.start()
    if logs_in:  # where no certificate is checked
        coop.clock.vouch()
    await coop.look()
    assert await coop.has_all()
    assert await coop.doubt() is (
        ClockDoubtReason.AHEAD if by > timedelta() else ClockDoubtReason.BEHIND
    )
    assert len(caplog.messages) == 1, "it is said once, not at every look"
    assert str((NOW + by).year) in caplog.text


@pytest.mark.parametrize("by", WRONG)
async def test_the_node_resumes_once_the_clock_is_right(coop: Coop, by: timedelta) -> None:
    coop.hands.at += by
    coop.start()
    await coop.look()
    # Somebody sets it; the node does not restart, and logs in at last.
    coop.hands.at -= by
    coop.clock.vouch()
    await coop.look()
    assert await coop.has_all()
    assert await coop.doubt() is None


async def test_entries_of_a_wrong_clock_do_not_confirm_it(coop: Coop) -> None:
    coop.hands.at += 3 * A_YEAR
    coop.start()
    async with coop.store.writing() as connection:
        await note_read(connection, Read(at=coop.hands.at, who="someone", what="a page"))
    await coop.look()
    assert await coop.doubt() is ClockDoubtReason.AHEAD
    coop.hands.at -= 3 * A_YEAR
    coop.clock.vouch()
    assert await coop.doubt() is None


async def test_entries_of_a_wrong_clock_do_not_replace_a_first_confirmation(coop: Coop) -> None:
    async with coop.store.writing() as connection:
        await set_setting(connection, "clock.confirmed", None)
    coop.hands.at += 3 * A_YEAR
    for _ in range(2):
        coop.start()
        async with coop.store.writing() as connection:
            await coop.clock.begin(connection)
            await note_read(connection, Read(at=coop.hands.at, who="someone", what="a page"))
        coop.clock.vouch()
        await coop.look()
        assert await coop.doubt() is ClockDoubtReason.AHEAD
        assert await coop.states() == {State.GRANTED}


async def test_earlier_entries_expose_a_wrong_clock_before_a_first_confirmation(coop: Coop) -> None:
    async with coop.store.writing() as connection:
        await set_setting(connection, "clock.confirmed", None)
    coop.hands.at += 3 * A_YEAR
    coop.start()
    coop.clock.vouch()
    await coop.look()
    assert await coop.has_all()


async def test_expired_data_are_erased_a_day_after_the_confirmation(coop: Coop) -> None:
    coop.hands.at += 3 * A_YEAR
    coop.start()
    coop.clock.vouch()
    await coop.look()
    await coop.confirm()
    await coop.look(1)
    assert await coop.states() == {State.EXPIRED}
    assert await coop.records() == len(HOMES), "administrators have a day to see what goes"
    async with coop.store.reading() as connection:
        going = await member_permissions.announced(connection)
    assert {each.id for each in going} == set(HOMES)
    assert {each.erase_at for each in going} == {
        coop.hands.at - 5 * MINUTE + member_permissions.GRACE
    }
    coop.hands.go_on(member_permissions.GRACE - 10 * MINUTE)
    await coop.look(1)
    assert await coop.records() == len(HOMES)
    coop.hands.go_on(10 * MINUTE)
    await coop.look(1)
    assert await coop.records() == 0


async def test_the_day_before_an_erasure_counts_by_a_confirmed_clock(coop: Coop) -> None:
    await coop.confirm()
    coop.hands.go_on(NEED.duration_days * A_DAY)
    await coop.confirm()
    await coop.look(1)
    coop.hands.at += 2 * A_DAY
    await coop.look()
    assert await coop.doubt() is ClockDoubtReason.STEPPED
    assert await coop.records() == len(HOMES)


@pytest.mark.parametrize("is_crashed", [True, False])
@pytest.mark.parametrize("by", WRONG)
async def test_a_requested_erasure_ignores_the_clock(
    coop: Coop, by: timedelta, is_crashed: bool
) -> None:
    """At once, or with the next look where a crash stopped the erasure."""
    coop.hands.at += by
    coop.start()
    async with coop.store.writing() as connection:
        members = Members(connection, ZONE)
        member = await members.named("a@example.org")
        ended = await member_permissions.withdraw(
            members, member.id, "a", NOW if is_crashed else coop.hands.at, erase=True
        )
    if is_crashed:
        await coop.look(1)
    else:
        await erase(coop.store, ZONE, ended, coop.hands.at)
    assert await coop.records() == len(HOMES) - 1


async def test_nothing_ends_before_a_server_has_confirmed_the_clock(coop: Coop) -> None:
    coop.hands.go_on((NEED.duration_days - 20) * A_DAY)
    await coop.confirm()
    await coop.look(1)
    granted = await coop.states()
    # All permissions run out while the node is off.
    coop.hands.at += AWAY_FOR - A_DAY
    coop.start()
    await coop.look()
    assert await coop.doubt() is ClockDoubtReason.OFFLINE
    assert await coop.states() == granted == {State.GRANTED}
    coop.clock.vouch()
    await coop.look(1)
    assert await coop.states() == {State.EXPIRED}


@pytest.mark.parametrize("by", [timedelta(seconds=STEP_S + 1), -timedelta(seconds=STEP_S + 1)])
async def test_a_jump_revokes_the_confirmation_until_the_next_login(
    coop: Coop, by: timedelta
) -> None:
    coop.hands.at += by
    assert await coop.doubt() is ClockDoubtReason.STEPPED
    coop.clock.vouch()
    assert await coop.doubt() is None
    coop.hands.at -= by
    assert await coop.doubt() is ClockDoubtReason.STEPPED
    coop.hands.at += by
    assert await coop.doubt() is None, "it was set right again"


async def test_a_database_that_answers_minutes_later_is_no_jump(coop: Coop) -> None:
    async with coop.store.reading() as connection:
        asyncio.get_running_loop().call_soon(coop.hands.go_on, timedelta(seconds=2 * STEP_S))
        assert await coop.clock.look(connection) is None


async def test_a_jump_of_years_while_the_node_runs_ends_nothing(coop: Coop) -> None:
    for by in (*WRONG, AWAY_FOR - A_DAY, -A_DAY):
        coop.hands.at += by
        await coop.look()
        assert await coop.has_all()
        coop.hands.at -= by
        await coop.look()
        assert await coop.doubt() is None


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        (AWAY_FOR, None),
        (AWAY_FOR + MINUTE, ClockDoubtReason.AHEAD),
        (-BACK_BY, None),
        (-BACK_BY - MINUTE, ClockDoubtReason.BEHIND),
    ],
)
async def test_a_node_resumes_by_itself_after_a_month_off(
    coop: Coop, by: timedelta, reason: ClockDoubtReason | None
) -> None:
    async with coop.store.writing() as connection:
        await coop.clock.confirmed(connection)
    coop.hands.at += by
    coop.start()
    coop.clock.vouch()
    assert await coop.doubt() is reason


async def test_a_new_node_needs_a_login_and_nothing_else(file: Store) -> None:
    for at in (NOW, datetime(2031, 1, 1, tzinfo=UTC)):
        clock = Hands(at).clock()
        async with file.reading() as connection:
            assert (await clock.look(connection)) == ClockDoubt(ClockDoubtReason.OFFLINE, at, None)
            clock.vouch()
            assert await clock.look(connection) is None


async def test_a_confirmation_while_the_node_was_off_replaces_no_login(coop: Coop) -> None:
    coop.hands.at += 3 * A_YEAR
    await coop.confirm()
    coop.start()
    assert await coop.doubt() is ClockDoubtReason.OFFLINE
    coop.clock.vouch()
    assert await coop.doubt() is None


# At a home.


async def set_confirmed(store: Store, at: datetime) -> None:
    """Set the newest confirmed instant."""
    async with store.writing() as connection:
        await confirm(connection, at)


@pytest.fixture
def frequent_clock_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consometers_node.sharing.service._CLOCK_EVERY_S", 0.02)


@pytest.mark.usefixtures("frequent_clock_checks")
@pytest.mark.parametrize("by", WRONG)
async def test_a_wrong_clock_expires_no_permission_of_a_home(
    file: Store, own: Prosody, new_account: NewAccount, tmp_path: Path, by: timedelta
) -> None:
    clock = Clock()
    async with running(file, own, new_account(own), "coop@example.org", clock=clock) as house:
        await house.connection.online(DEADLINE_S)
        await until(lambda: clock.doubt is None)
        permission = await house.grant()
        # What the clock shows now is years from what it showed before.
        await set_confirmed(file, now() - by)
        await until(lambda: clock.doubt is not None)
        await asyncio.to_thread(run_out, tmp_path / "node.db", permission)
        # Two more checks begin, so one of them has ended.
        for _ in range(2):
            before = clock.doubt
            await until(lambda before=before: clock.doubt is not before)  # type: ignore[misc]
        assert await house.state(permission) is State.GRANTED
        await set_confirmed(file, now())
        await until(lambda: clock.doubt is None)
        async with asyncio.timeout(DEADLINE_S):
            while await house.state(permission) is not State.EXPIRED:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("by", WRONG)
async def test_a_home_grants_nothing_by_a_wrong_clock(file: Store, by: timedelta) -> None:
    choice = Choice(series=frozenset({HOURLY}))
    async with file.writing() as connection:
        peer = await add_peer(connection, "coop@example.org", "Coop", now())
        permission_id = await Permissions(connection).propose(peer.id, NEED, now())
        question = await asked_for(connection, permission_id)
        await check(connection, NAMING, question, choice)
        await confirm(connection, now() - by)
        with pytest.raises(WrongClock):
            await check(connection, NAMING, question, choice)
        await confirm(connection, now())
        await check(connection, NAMING, question, choice)


async def test_a_permission_begins_at_the_instant_that_the_clock_check_passed(file: Store) -> None:
    # Within what the database takes for its own time.
    checked = now() - MINUTE
    clock = leaping(Hands(checked), 1)
    async with file.writing() as connection:
        peer = await add_peer(connection, "coop@example.org", "Coop", now())
        permissions = Permissions(connection)
        permission_id = await permissions.propose(peer.id, NEED, now())
        question = await asked_for(connection, permission_id)
        choice = Choice(series=frozenset({HOURLY}))
        terms = await grant(connection, NAMING, question, choice, YES, clock=clock)
        (*_, entry) = await permissions.entries(permission_id)
    assert (terms.valid_from, entry.at) == (checked, checked)


@pytest.mark.usefixtures("frequent_clock_checks")
async def test_the_node_has_its_server_confirm_the_clock_after_a_jump(
    file: Store, own: Prosody, new_account: NewAccount
) -> None:
    hands = Hands(now())
    clock = hands.clock()
    async with running(file, own, new_account(own), "coop@example.org", clock=clock) as house:
        session = await house.connection.online(DEADLINE_S)
        await until(lambda: clock.doubt is None)
        hands.at += timedelta(hours=1)
        await until(lambda: clock.doubt is not None)
        assert clock.doubt is not None
        assert clock.doubt.reason is ClockDoubtReason.STEPPED
        await until(lambda: clock.doubt is None)
        assert await house.connection.online(DEADLINE_S) is session, (
            "nothing that was on its way is lost"
        )


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("by", WRONG)
async def test_a_home_reads_nothing_and_notes_no_absence_by_a_wrong_clock(
    file: Store, by: timedelta
) -> None:
    toy = ToyHomeAssistant()
    start = midnight(-20)
    toy.hours[NAME] = rows(start, int((now() - start) / HOUR))
    toy.answers["get_states"] = [{"last_changed": (now() - HOUR).isoformat()}]
    toy.answers["get_config"] = {"time_zone": "Europe/Paris"}
    ledger = await Ledger.open(file, series=DRAWN)
    await ledger.grant()
    await set_confirmed(file, now() - by)
    seen = (now() - by).isoformat()
    async with file.writing() as connection:
        await set_setting(connection, SEEN, seen)
    clock = Clock()
    async with serving(toy), running_sync(toy, file, clock=clock) as read:
        await until(lambda: clock.doubt is not None and clock.doubt.is_wrong)
        # Reading stands between two checks, of each of those that read.
        for _ in range(20):
            before = clock.doubt
            read.changes.notify()
            read.rounds.request()
            await until(lambda before=before: clock.doubt is not before)  # type: ignore[misc]
        assert asked(toy) == []
        async with file.reading() as connection:
            assert await absences(connection) == []
            assert await setting(connection, SEEN) == seen
        assert (await read.target()).covered is None
        # Somebody confirms it: then it is read, up to now and no further.
        await set_confirmed(file, now())
        read.changes.notify()
        await read.all()
        covered = (await read.target()).covered
        assert covered is not None
        assert covered.end <= midnight(1)


# What a collective publishes and asks for.


class Looks(Publishing):
    """Counts how frequent_clock_checks it would have published."""

    published = 0

    @override
    async def look(self, online_since: datetime, at: datetime) -> bool:
        self.published += 1
        return False


@pytest.mark.parametrize("by", WRONG)
async def test_nothing_is_published_by_a_wrong_clock(
    coop: Coop, tmp_path: Path, by: timedelta
) -> None:
    coop.hands.at += by
    coop.start()
    collective_settings, looks = settings(tmp_path), 0

    def is_online() -> bool:
        nonlocal looks
        looks += 1
        return True

    work = Looks(
        coop.store,
        collective_settings,
        InForce(collective_settings.publication),
        Changes(),
        arrivals=Arrivals(),
        clock=coop.clock,
        is_online=is_online,
        every_s=0.001,
    )
    task = asyncio.create_task(work.run())
    await until(lambda: looks >= 5)
    assert work.published == 0
    coop.hands.at -= by
    await until(lambda: work.published > 0)
    task.cancel()
    await asyncio.wait({task})


async def test_a_wrong_clock_requests_no_history(coop: Coop) -> None:
    coop.hands.at += 3 * A_YEAR
    coop.start()
    unused: Any = None
    backfill = Backfill(coop.store, unused, unused, Changes(), clock=coop.clock)
    with pytest.raises(NotStored):
        await backfill._gather("a@example.org")
    async with coop.store.reading() as connection:
        (series,) = await of_member(connection, "a@example.org")
    assert series.backfilled_until is None


# Where a wrong clock shows, and who confirms it.


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize(
    ("language", "warning", "button"),
    [
        ("en", "long after the last confirmed time", "The clock is right"),
        ("fr", "bien après la dernière heure confirmée", "L’horloge est à l’heure"),
    ],
)
async def test_an_administrator_reads_of_a_wrong_clock_and_confirms_it(
    coop: Coop, tmp_path: Path, language: str, warning: str, button: str
) -> None:
    coop.hands.at += 3 * A_YEAR
    coop.start()
    node: Any = SimpleNamespace(
        clock=coop.clock, database_problem=None, is_online=True, look_again=lambda: None
    )
    async with office(coop, tmp_path, node) as opened:
        browser = await opened.enter(language)
        page = await browser.open("")
        assert warning in page.text
        assert button in page.text
        page = await browser.send(page, "clock")
        assert page.status == 200
        assert await coop.doubt() is None
        await coop.look(1)
        page = await browser.open("")
        assert warning not in page.text
        for name in HOMES:
            assert await pseudonym(coop.store, name) in page.text, "what goes is shown a day before"
        async with coop.store.reading() as connection:
            newest, *_ = await reads(connection)
            assert newest.what == "clock confirmed"


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("wrong", [True, False])
async def test_health_reports_a_wrong_clock(coop: Coop, tmp_path: Path, wrong: bool) -> None:
    if wrong:
        coop.hands.at += 3 * A_YEAR
        coop.start()
    node = node_of(ReleasedTown(coop.store, settings(tmp_path)))
    node.clock = coop.clock
    public = PublicSite(coop.store, node.settings, "0", watch=Watch(node, "0"))
    async with (
        public.listening("127.0.0.1", 0) as port,
        ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/health") as answer,
    ):
        assert answer.status == 200, "a new start would not mend the clock"
        assert ("The node’s clock shows" in await answer.text()) is wrong


@pytest.mark.usefixtures("socket_enabled")
async def test_a_household_confirms_the_clock_on_its_page(file: Store) -> None:
    await set_confirmed(file, now() - 3 * A_YEAR)
    async with home_running(file, toy()) as home:
        page = await home.browser(language="fr").open("")
        assert "L’horloge du nœud indique" in page.text
        assert "Home Assistant" in page.text
        status = await status_of(home)
        assert status["clock"]["en"].startswith("The node’s clock shows")
        await home.browser(language="fr").send(page, "clock")
        page = await home.browser(language="fr").open("")
        assert "L’horloge du nœud indique" not in page.text
        assert (await status_of(home))["clock"] is None


async def status_of(home: ServedHome) -> Any:
    headers = {"Authorization": f"Bearer {API_TOKEN}"}
    async with home.session.get(home.url.join(URL("/api/v1/node")), headers=headers) as answer:
        return await answer.json()


async def pseudonym(store: Store, name: str) -> str:
    async with store.reading() as connection:
        member = await Members(connection, ZONE).named(f"{name}@example.org")
    return member.pseudonym


@asynccontextmanager
async def office(coop: Coop, folder: Path, node: Any) -> AsyncIterator[Office]:
    wall = Wall(coop.hands.at)
    async with opening(coop.store, settings(folder), node, wall) as opened:
        await opened.appoint(CLERK)
        yield opened
