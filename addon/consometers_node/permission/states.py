"""The states of a permission, and who changes them. Words of EU regulation 2023/1162."""

from enum import StrEnum

from consometers_quoalise import State


class Actor(StrEnum):
    """The actor of a change."""

    HOUSEHOLD = "household"
    """A person who uses the node."""
    PEER = "peer"
    CLOCK = "clock"


FOLLOWING: dict[State, frozenset[State]] = {
    **dict.fromkeys(State, frozenset()),
    State.PROPOSED: frozenset({State.GRANTED, State.REFUSED}),
    State.GRANTED: frozenset({State.WITHDRAWN, State.TERMINATED, State.EXPIRED}),
}
"""Possible next states. An ended permission stays ended: a new request makes a new one."""
