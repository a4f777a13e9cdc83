"""A clock that tests set."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from consometers_node.store import Store
from consometers_node.store.clock import Clock, Confirmed, confirm
from consometers_node.store.engine.connection import AsyncConnection


@dataclass
class Hands:
    """The wall clock, which anybody sets, and seconds that nobody does."""

    at: datetime
    steady: float = 0

    def clock(self) -> Clock:
        return Clock(lambda: self.at, lambda: self.steady)

    def go_on(self, by: timedelta) -> None:
        """Advance both clocks."""
        self.at += by
        self.steady += by.total_seconds()


async def confirmed(store: Store, hands: Hands) -> Clock:
    """Make a clock that a server and a person have confirmed."""
    clock = hands.clock()
    clock.vouch()
    async with store.writing() as connection:
        await confirm(connection, hands.at)
    return clock


LEAP = timedelta(days=3 * 365)


def leaping(hands: Hands, reads: int) -> Clock:
    """Return a clock that a server has confirmed, and that leaps ahead after so many reads.

    What checks it and reads it apart acts by a time that nobody checked.
    """
    clock, left = hands.clock(), reads
    clock.vouch()

    def now() -> datetime:
        nonlocal left
        if left == 0:
            hands.at += LEAP
        left -= 1
        return hands.at

    clock.now = now
    return clock


def sure(at: datetime) -> Confirmed:
    """Take an instant for confirmed."""
    return Confirmed(at)


_ASKING_THE_CLOCK = {
    "member_permission_is_announced_now": "member_permission",
    "access_log_is_of_now": "access_log",
    "access_log_stays": "access_log",
}


async def set_aside_the_clock_of(connection: AsyncConnection) -> None:
    """Drop what asks the database's own clock, which stays where it is as a test sets the node's.

    tests/hostile/test_insider.py has those rules.
    """
    for rule, table in _ASKING_THE_CLOCK.items():
        on = "" if connection.dialect.name == "sqlite" else f" ON {table}"
        await connection.execute(text(f"DROP TRIGGER IF EXISTS {rule}{on}"))
