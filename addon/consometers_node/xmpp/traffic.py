"""What peers sent, counted: how often, never who or what."""

from dataclasses import dataclass


@dataclass(slots=True)
class Traffic:
    """What came since the node started, whatever the connection, and what became of it."""

    acknowledged: int = 0
    """Messages of records that were kept."""
    refused: int = 0
    unkept: int = 0
    """Neither kept nor refused: the peer sends them again."""
    dropped: int = 0
    """There was no room for them: the peer sends them again."""
    answered: int = 0
    """Requests that got what they asked for."""
    turned_down: int = 0
    failed: int = 0
    """Requests that this node failed to answer."""
