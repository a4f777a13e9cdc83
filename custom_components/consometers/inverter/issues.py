"""What a person should know or do about an inverter, as Home Assistant's repair issues."""

from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.issue_registry import IssueSeverity

from ..issues import create, delete
from .link import place
from .state import Event

if TYPE_CHECKING:
    from .coordinator import InverterConfigEntry

INVERTER_SILENT: Final = "inverter_silent"
OTHER_INVERTER: Final = "other_inverter"
COUNTER_RESTARTED: Final = "counter_restarted"
COUNTER_JUMPED: Final = "counter_jumped"

COUNTER_ISSUES: Final = {
    Event.RESTARTED: COUNTER_RESTARTED,
    Event.JUMPED: COUNTER_JUMPED,
}


def set_silent(hass: HomeAssistant, entry: InverterConfigEntry, *, silent: bool) -> None:
    """Say that an inverter has not answered for long in daylight, or that it does again."""
    _set(hass, entry, INVERTER_SILENT, holds=silent)


def set_other(hass: HomeAssistant, entry: InverterConfigEntry, *, other: bool) -> None:
    """Say that another inverter answers at the address, or that it no longer does."""
    _set(hass, entry, OTHER_INVERTER, holds=other)


def create_counter(hass: HomeAssistant, entry: InverterConfigEntry, event: Event) -> None:
    """Say what a counter did, and that the total goes on without it."""
    create(hass, entry, COUNTER_ISSUES[event], fixable=True, persistent=True)


def clear_passing(hass: HomeAssistant, entry: InverterConfigEntry) -> None:
    """Take back what holds only while nobody has done anything about it."""
    delete(hass, entry, INVERTER_SILENT, OTHER_INVERTER)


def clear_all(hass: HomeAssistant, entry: InverterConfigEntry) -> None:
    """Take back whatever was said of an entry that goes away."""
    clear_passing(hass, entry)
    delete(hass, entry, *COUNTER_ISSUES.values())


def _set(hass: HomeAssistant, entry: InverterConfigEntry, kind: str, *, holds: bool) -> None:
    if holds:
        create(hass, entry, kind, severity=IssueSeverity.ERROR, place=place(entry.data))
    else:
        delete(hass, entry, kind)
