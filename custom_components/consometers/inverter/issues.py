"""What a person should know or do about an inverter, as Home Assistant's repair issues."""

from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.issue_registry import (
    IssueSeverity,
    async_create_issue,
    async_delete_issue,
)

from ..const import DOMAIN
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
    async_create_issue(
        hass,
        DOMAIN,
        _id(COUNTER_ISSUES[event], entry),
        data={"entry_id": entry.entry_id, "kind": COUNTER_ISSUES[event]},
        is_fixable=True,
        is_persistent=True,
        severity=IssueSeverity.WARNING,
        translation_key=COUNTER_ISSUES[event],
        translation_placeholders={"title": entry.title},
    )


def clear_passing(hass: HomeAssistant, entry: InverterConfigEntry) -> None:
    """Take back what holds only while nobody has done anything about it."""
    for kind in (INVERTER_SILENT, OTHER_INVERTER):
        async_delete_issue(hass, DOMAIN, _id(kind, entry))


def clear_all(hass: HomeAssistant, entry: InverterConfigEntry) -> None:
    """Take back whatever was said of an entry that goes away."""
    clear_passing(hass, entry)
    for kind in COUNTER_ISSUES.values():
        async_delete_issue(hass, DOMAIN, _id(kind, entry))


def _id(kind: str, entry: InverterConfigEntry) -> str:
    return f"{kind}_{entry.entry_id}"


def _set(hass: HomeAssistant, entry: InverterConfigEntry, kind: str, *, holds: bool) -> None:
    if not holds:
        async_delete_issue(hass, DOMAIN, _id(kind, entry))
        return
    async_create_issue(
        hass,
        DOMAIN,
        _id(kind, entry),
        is_fixable=False,
        severity=IssueSeverity.ERROR,
        translation_key=kind,
        translation_placeholders={"title": entry.title, "place": place(entry.data)},
    )
