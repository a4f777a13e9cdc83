"""A bad day: the clock of a node is wrong when it starts, or is set while it runs."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from consometers_node.collective import given
from consometers_node.collective.members import Members
from consometers_node.collective.reads import Read, note_read, reads
from consometers_node.collective.rights import erase
from consometers_node.collective.upkeep import Upkeep
from consometers_node.permission import State
from consometers_node.sharing.changes import Changes
from consometers_node.sharing.names import keep_collective
from consometers_node.store import Store
from consometers_node.store.clock import AWAY_FOR, BACK_BY, STEP_S, Clock, Doubt, Reason, confirm
from consometers_node.store.series import days_kept
from tests.node.clocks import Hands, confirmed
from tests.node.collective.people import AT, ZONE, join, meter, permission
from tests.node.collective.telling import taking, told
from tests.node.permission.samples import NEED

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
    upkeep: Upkeep

    def start(self) -> None:
        """Start the node anew: what it knew of its clock is gone."""
        self.clock = self.hands.clock()
        self.upkeep = Upkeep(self.store, ZONE, Changes(), self.clock)

    async def look(self, times: int = 5) -> None:
        """Let it look, every five minutes."""
        for _ in range(times):
            await self.upkeep.look()
            self.hands.go_on(5 * MINUTE)

    async def doubt(self) -> Reason | None:
        async with self.store.reading() as connection:
            doubt = await self.clock.look(connection)
        return None if doubt is None else doubt.reason

    async def confirm(self) -> None:
        """Let an administrator confirm the clock, in another process perhaps."""
        async with self.store.writing() as connection:
            await confirm(connection, self.hands.at)

    async def states(self) -> set[State]:
        async with self.store.reading() as connection:
            return {one.state for one in await given.all_given(connection)}

    async def has_all(self) -> bool:
        """Return whether all is there: grants, records, the guest, the log."""
        async with self.store.reading() as connection:
            members = await Members(connection, ZONE).all()
            return (
                {one.state for one in await given.all_given(connection)} == {State.GRANTED}
                and len(await days_kept(connection)) == len(HOMES)
                and len(members) == len(HOMES) + 1
                and all(one.jid is not None for one in members)
                and len(await reads(connection)) == 1
            )

    async def records(self) -> int:
        async with self.store.reading() as connection:
            return len(await days_kept(connection))


@pytest.fixture
async def coop(file: Store) -> Coop:
    await keep_collective(file, "kersabiec")
    async with file.writing() as connection:
        for name in HOMES:
            await join(connection, name, permission(meter(name), id=name))
        await Members(connection, ZONE).admit("guest@example.org", AT)
        await note_read(connection, Read(at=AT, who="someone", what="a page"))
    async with taking(file) as intake:
        for name in HOMES:
            await intake.keep(f"{name}@example.org", told(meter(name), MIDNIGHT, [300] * 24))
    hands = Hands(NOW)
    clock = await confirmed(file, hands)
    coop = Coop(file, hands, clock, Upkeep(file, ZONE, Changes(), clock))
    await coop.look(1)
    assert await coop.has_all()
    return coop


@pytest.mark.parametrize("by", WRONG)
@pytest.mark.parametrize("logs_in", [True, False])
async def test_a_clock_years_wrong_at_start_ends_nothing_and_says_so(
    coop: Coop, by: timedelta, logs_in: bool, caplog: pytest.LogCaptureFixture
) -> None:
    coop.hands.at += by
    coop.start()
    if logs_in:  # where no certificate is checked
        coop.clock.vouch()
    await coop.look()
    assert await coop.has_all()
    assert await coop.doubt() is (Reason.AHEAD if by > timedelta() else Reason.BEHIND)
    assert len(caplog.messages) == 1, "it is said once, not at every look"
    assert str((NOW + by).year) in caplog.text


@pytest.mark.parametrize("by", WRONG)
async def test_the_node_goes_on_by_itself_once_the_clock_is_right(
    coop: Coop, by: timedelta
) -> None:
    coop.hands.at += by
    coop.start()
    await coop.look()
    # Somebody sets it; the node does not start anew, and logs in at last.
    coop.hands.at -= by
    coop.clock.vouch()
    await coop.look()
    assert await coop.has_all()
    assert await coop.doubt() is None


async def test_what_was_written_by_a_wrong_clock_does_not_bear_it_out(coop: Coop) -> None:
    coop.hands.at += 3 * A_YEAR
    coop.start()
    async with coop.store.writing() as connection:
        await note_read(connection, Read(at=coop.hands.at, who="someone", what="a page"))
    await coop.look()
    assert await coop.doubt() is Reason.AHEAD
    coop.hands.at -= 3 * A_YEAR
    coop.clock.vouch()
    assert await coop.doubt() is None


async def test_a_database_of_which_no_clock_was_confirmed_yet_has_its_entries(coop: Coop) -> None:
    async with coop.store.writing() as connection:
        from consometers_node.store.settings import set_setting

        await set_setting(connection, "clock.confirmed", None)
    coop.hands.at += 3 * A_YEAR
    coop.start()
    coop.clock.vouch()
    await coop.look()
    assert await coop.has_all()


async def test_what_an_administrator_confirms_runs_out_and_goes_a_day_later(coop: Coop) -> None:
    coop.hands.at += 3 * A_YEAR
    coop.start()
    coop.clock.vouch()
    await coop.look()
    await coop.confirm()
    await coop.look(1)
    assert await coop.states() == {State.EXPIRED}
    assert await coop.records() == len(HOMES), "administrators have a day to see what goes"
    async with coop.store.reading() as connection:
        going = await given.announced(connection)
    assert {one.id for one in going} == set(HOMES)
    assert {one.erase_at for one in going} == {coop.hands.at - 5 * MINUTE + given.GRACE}
    coop.hands.go_on(given.GRACE - 10 * MINUTE)
    await coop.look(1)
    assert await coop.records() == len(HOMES)
    coop.hands.go_on(10 * MINUTE)
    await coop.look(1)
    assert await coop.records() == 0


async def test_the_day_to_see_what_goes_is_of_a_clock_that_is_confirmed(coop: Coop) -> None:
    await coop.confirm()
    coop.hands.go_on(NEED.duration_days * A_DAY)
    await coop.confirm()
    await coop.look(1)
    coop.hands.at += 2 * A_DAY
    await coop.look()
    assert await coop.doubt() is Reason.STEPPED
    assert await coop.records() == len(HOMES)


async def test_what_a_member_wants_erased_goes_at_once_whatever_the_clock_shows(
    coop: Coop,
) -> None:
    coop.hands.at += 3 * A_YEAR
    coop.start()
    async with coop.store.writing() as connection:
        members = Members(connection, ZONE)
        member = await members.by_jid("a@example.org")
        assert member is not None
        ended = await given.withdraw(members, member.id, "a", coop.hands.at, erase=True)
    await erase(coop.store, ZONE, ended, coop.hands.at)
    assert await coop.records() == len(HOMES) - 1


async def test_an_erasure_that_a_crash_stopped_is_finished_whatever_the_clock_shows(
    coop: Coop,
) -> None:
    coop.hands.at -= 3 * A_YEAR
    coop.start()
    async with coop.store.writing() as connection:
        members = Members(connection, ZONE)
        member = await members.by_jid("a@example.org")
        assert member is not None
        await given.withdraw(members, member.id, "a", NOW, erase=True)
    await coop.look(1)
    assert await coop.records() == len(HOMES) - 1
    assert await coop.doubt() is Reason.BEHIND


async def test_nothing_ends_before_a_server_has_confirmed_the_clock(coop: Coop) -> None:
    coop.hands.at += AWAY_FOR - A_DAY
    coop.start()
    await coop.look()
    assert await coop.doubt() is Reason.OFFLINE
    assert await coop.has_all()


@pytest.mark.parametrize("by", [timedelta(seconds=STEP_S + 1), -timedelta(seconds=STEP_S + 1)])
async def test_a_jump_while_the_node_runs_takes_its_confirmation_until_the_next_login(
    coop: Coop, by: timedelta
) -> None:
    coop.hands.at += by
    assert await coop.doubt() is Reason.STEPPED
    coop.clock.vouch()
    assert await coop.doubt() is None
    coop.hands.at -= by
    assert await coop.doubt() is Reason.STEPPED
    coop.hands.at += by
    assert await coop.doubt() is None, "it was set right again"


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
        (AWAY_FOR + MINUTE, Reason.AHEAD),
        (-BACK_BY, None),
        (-BACK_BY - MINUTE, Reason.BEHIND),
    ],
)
async def test_a_node_that_was_off_for_a_month_comes_back_by_itself(
    coop: Coop, by: timedelta, reason: Reason | None
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
            assert (await clock.look(connection)) == Doubt(Reason.OFFLINE, at, None)
            clock.vouch()
            assert await clock.look(connection) is None


async def test_a_word_that_was_given_while_the_node_was_off_replaces_no_login(coop: Coop) -> None:
    coop.hands.at += 3 * A_YEAR
    await coop.confirm()
    coop.start()
    assert await coop.doubt() is Reason.OFFLINE
    coop.clock.vouch()
    assert await coop.doubt() is None
