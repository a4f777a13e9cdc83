"""A clock that tests set."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from consometers_node.store import Store
from consometers_node.store.clock import Clock, Confirmed, confirm


@dataclass
class Hands:
    """The wall clock, which anybody sets, and seconds that nobody does."""

    at: datetime
    steady: float = 0

    def clock(self) -> Clock:
        return Clock(lambda: self.at, lambda: self.steady)

    def go_on(self, by: timedelta) -> None:
        """Let time pass, on both."""
        self.at += by
        self.steady += by.total_seconds()


async def confirmed(store: Store, hands: Hands) -> Clock:
    """Make a clock that a server and a person have confirmed."""
    clock = hands.clock()
    clock.vouch()
    async with store.writing() as connection:
        await confirm(connection, hands.at)
    return clock


def sure(at: datetime) -> Confirmed:
    """Take an instant for confirmed."""
    return Confirmed(at)
