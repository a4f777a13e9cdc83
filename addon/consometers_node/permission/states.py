"""The states of a permission, and who changes them. Words of EU regulation 2023/1162."""

from collections.abc import Iterable
from enum import StrEnum

from ..quoalise import State


class Actor(StrEnum):
    """The actor of a change."""

    HOUSEHOLD = "household"
    """A person who uses the node."""
    PEER = "peer"
    CLOCK = "clock"


FOLLOWING: dict[State, frozenset[State]] = {
    State.PROPOSED: frozenset({State.GRANTED, State.REFUSED}),
    State.GRANTED: frozenset({State.WITHDRAWN, State.TERMINATED, State.EXPIRED}),
    State.REFUSED: frozenset(),
    State.WITHDRAWN: frozenset(),
    State.TERMINATED: frozenset(),
    State.EXPIRED: frozenset(),
}
"""Possible next states. An ended permission stays ended: a new request makes a new one."""

ACTORS: dict[State, frozenset[Actor]] = {
    State.PROPOSED: frozenset({Actor.PEER, Actor.HOUSEHOLD}),
    State.GRANTED: frozenset({Actor.HOUSEHOLD}),
    State.REFUSED: frozenset({Actor.HOUSEHOLD}),
    State.WITHDRAWN: frozenset({Actor.HOUSEHOLD}),
    State.TERMINATED: frozenset({Actor.PEER}),
    State.EXPIRED: frozenset({Actor.CLOCK}),
}
"""Who may bring a permission into a state. A household proposes to itself from a file."""


def replay(states: Iterable[State]) -> State | None:
    """Return the state that a permission is in after these entries of the register, in their order.

    None is before the first one. Raises ValueError for an entry that cannot follow.
    """
    now: State | None = None
    for state in states:
        if state not in ({State.PROPOSED} if now is None else FOLLOWING[now]):
            raise ValueError(f"{state} does not follow {now or 'nothing'}")
        now = state
    return now
