"""Repair issues about a meter."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_DEVICE
from homeassistant.core import HomeAssistant
from homeassistant.helpers.issue_registry import IssueSeverity

from ..const import CONF_MODE
from ..issues import report
from ..ports import shown
from ..tic import Mode
from .detection import masked

MODE_CHANGED = "mode_changed"
METER_REPLACED = "meter_replaced"
WRONG_METER = "wrong_meter"
NO_DATA = "no_data"


def set_mode_changed(hass: HomeAssistant, entry: ConfigEntry, mode: Mode) -> None:
    """Report that the meter speaks another mode than the entry's, or no longer does."""
    former, is_other = entry.data[CONF_MODE], mode != entry.data[CONF_MODE]
    report(hass, entry, MODE_CHANGED, holds=is_other, fixable=True, former=former, mode=mode)


def create_meter_replaced(hass: HomeAssistant, entry: ConfigEntry, former: str) -> None:
    """Report a new meter, whose readings continue the history."""
    report(
        hass,
        entry,
        METER_REPLACED,
        fixable=True,
        persistent=True,
        former=masked(former),
        meter=masked(entry.unique_id or ""),
    )


def set_wrong_meter(hass: HomeAssistant, entry: ConfigEntry, unique_id: str | None) -> None:
    """Report another entry's meter, as after a swap of two cables; None: no such meter."""
    report(
        hass,
        entry,
        WRONG_METER,
        holds=unique_id is not None,
        severity=IssueSeverity.ERROR,
        expected=masked(entry.unique_id or ""),
        meter=masked(unique_id or ""),
    )


def set_no_data(hass: HomeAssistant, entry: ConfigEntry, *, no_data: bool) -> None:
    """Report what to check when nothing valid comes, or that it does again."""
    severity, device = IssueSeverity.ERROR, shown(entry.data[CONF_DEVICE])
    report(hass, entry, NO_DATA, holds=no_data, severity=severity, device=device)
