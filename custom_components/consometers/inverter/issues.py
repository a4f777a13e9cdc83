"""Repair issues about an inverter."""

from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.issue_registry import IssueSeverity

from ..issues import delete, report
from .link import place
from .state import Event

INVERTER_SILENT: Final = "inverter_silent"
"""It has not answered for long in daylight."""
OTHER_INVERTER: Final = "other_inverter"
"""Another one answers at its address."""
COUNTER_RESTARTED: Final = "counter_restarted"
COUNTER_JUMPED: Final = "counter_jumped"

COUNTER_ISSUES: Final = {
    Event.RESTARTED: COUNTER_RESTARTED,
    Event.JUMPED: COUNTER_JUMPED,
}


def report_link(hass: HomeAssistant, entry: ConfigEntry, kind: str, *, holds: bool) -> None:
    """Create an issue about the link to an inverter, or delete it once it no longer holds."""
    severity, where = IssueSeverity.ERROR, place(entry.data)
    report(hass, entry, kind, holds=holds, severity=severity, place=where)


def create_counter(hass: HomeAssistant, entry: ConfigEntry, event: Event) -> None:
    """Report a counter's restart or jump, and that the total goes on without it."""
    report(hass, entry, COUNTER_ISSUES[event], fixable=True, persistent=True)


def clear_passing(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Delete issues that hold only until somebody acts."""
    delete(hass, entry, INVERTER_SILENT, OTHER_INVERTER)
