"""Repair issues about the sources of a home."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant

from ..issues import create, delete

if TYPE_CHECKING:
    from .tracker import BalanceConfigEntry

SOURCES_DISAGREE: Final = "sources_disagree"
SOURCES_GONE: Final = "sources_gone"


def set_disagreement(hass: HomeAssistant, entry: BalanceConfigEntry, *, disagrees: bool) -> None:
    """Report that injection exceeded production for an hour, or that it no longer does."""
    if disagrees:
        create(hass, entry, SOURCES_DISAGREE)
    else:
        delete(hass, entry, SOURCES_DISAGREE)


def set_gone(hass: HomeAssistant, entry: BalanceConfigEntry, sources: Iterable[str]) -> None:
    """Report which sources no longer exist, or that all do."""
    if gone := ", ".join(sources):
        create(hass, entry, SOURCES_GONE, sources=gone)
    else:
        delete(hass, entry, SOURCES_GONE)


def clear(hass: HomeAssistant, entry: BalanceConfigEntry) -> None:
    """Delete all of these issues."""
    delete(hass, entry, SOURCES_DISAGREE, SOURCES_GONE)
