"""What a person should know about the sources of a home, as Home Assistant's repair issues."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant

from ..issues import create, delete

if TYPE_CHECKING:
    from .tracker import BalanceConfigEntry

SOURCES_DISAGREE: Final = "sources_disagree"
SOURCES_GONE: Final = "sources_gone"


def set_disagreement(hass: HomeAssistant, entry: BalanceConfigEntry, *, disagrees: bool) -> None:
    """Say that more was injected than made for an hour, or that it is no longer so."""
    if disagrees:
        create(hass, entry, SOURCES_DISAGREE)
    else:
        delete(hass, entry, SOURCES_DISAGREE)


def set_gone(hass: HomeAssistant, entry: BalanceConfigEntry, sources: Iterable[str]) -> None:
    """Say which sources do not exist any more, or that all do."""
    if gone := ", ".join(sources):
        create(hass, entry, SOURCES_GONE, sources=gone)
    else:
        delete(hass, entry, SOURCES_GONE)


def clear(hass: HomeAssistant, entry: BalanceConfigEntry) -> None:
    """Take all of it back."""
    delete(hass, entry, SOURCES_DISAGREE, SOURCES_GONE)
