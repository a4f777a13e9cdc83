"""Diagnostics of a home."""

from dataclasses import asdict
from typing import Any

from .tracker import BalanceTracker


async def diagnostics(tracker: BalanceTracker) -> dict[str, Any]:
    """Return the sources, what each counted, and the sums."""
    return {
        "entry": {"data": dict(tracker.config_entry.data)},
        "balance": tracker.balance.remember(),
        "powers": asdict(tracker.data.powers),
    }
