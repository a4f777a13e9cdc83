"""Counters of peers' messages."""

from dataclasses import dataclass


@dataclass(slots=True)
class Traffic:
    """Peers' messages since the node started, by outcome: how often, never who or what."""

    acknowledged: int = 0
    """Messages whose records were stored."""
    refused: int = 0
    unkept: int = 0
    """Neither stored nor refused: the peer sends them again."""
    dropped: int = 0
    """There was no room for them: the peer sends them again."""
    answered: int = 0
    """Requests that were answered."""
    turned_down: int = 0
    failed: int = 0
    """Requests that this node failed to answer."""
