"""What a person should know or do about a meter, as Home Assistant's repair issues."""

from typing import TYPE_CHECKING

from homeassistant.const import CONF_DEVICE
from homeassistant.core import HomeAssistant
from homeassistant.helpers.issue_registry import (
    IssueSeverity,
    async_create_issue,
    async_delete_issue,
)

from ..const import CONF_MODE, DOMAIN
from ..ports import shown
from ..tic import Mode
from .detection import masked

if TYPE_CHECKING:
    from .coordinator import LinkyConfigEntry

MODE_CHANGED = "mode_changed"
METER_REPLACED = "meter_replaced"
WRONG_METER = "wrong_meter"
NO_DATA = "no_data"


def set_mode_changed(hass: HomeAssistant, entry: LinkyConfigEntry, mode: Mode) -> None:
    """Say that the meter speaks another mode than the entry was made for, or no longer does."""
    if mode == entry.data[CONF_MODE]:
        async_delete_issue(hass, DOMAIN, _id(MODE_CHANGED, entry))
        return
    _create(
        hass, entry, MODE_CHANGED, {"former": entry.data[CONF_MODE], "mode": mode}, fixable=True
    )


def create_meter_replaced(hass: HomeAssistant, entry: LinkyConfigEntry, former: str) -> None:
    """Say that another meter, new to us, answers, and that its readings continue the history."""
    numbers = {"former": masked(former), "meter": masked(entry.unique_id or "")}
    _create(hass, entry, METER_REPLACED, numbers, fixable=True, persistent=True)


def set_wrong_meter(hass: HomeAssistant, entry: LinkyConfigEntry, unique_id: str | None) -> None:
    """Say that a meter of another entry answers, as if two cables were exchanged; None: not so."""
    if unique_id is None:
        async_delete_issue(hass, DOMAIN, _id(WRONG_METER, entry))
        return
    numbers = {"expected": masked(entry.unique_id or ""), "meter": masked(unique_id)}
    _create(hass, entry, WRONG_METER, numbers, severity=IssueSeverity.ERROR)


def set_no_data(hass: HomeAssistant, entry: LinkyConfigEntry, *, no_data: bool) -> None:
    """Say what to check when nothing valid comes, or that it does again."""
    if no_data:
        device = {"device": shown(entry.data[CONF_DEVICE])}
        _create(hass, entry, NO_DATA, device, severity=IssueSeverity.ERROR)
    else:
        async_delete_issue(hass, DOMAIN, _id(NO_DATA, entry))


def clear_passing(hass: HomeAssistant, entry: LinkyConfigEntry) -> None:
    """Take back what holds only while nobody has done anything about it."""
    for kind in (WRONG_METER, NO_DATA):
        async_delete_issue(hass, DOMAIN, _id(kind, entry))


def clear_all(hass: HomeAssistant, entry: LinkyConfigEntry) -> None:
    """Take back whatever was said of an entry that goes away."""
    for kind in (MODE_CHANGED, METER_REPLACED, WRONG_METER, NO_DATA):
        async_delete_issue(hass, DOMAIN, _id(kind, entry))


def _id(kind: str, entry: LinkyConfigEntry) -> str:
    return f"{kind}_{entry.entry_id}"


def _create(
    hass: HomeAssistant,
    entry: LinkyConfigEntry,
    kind: str,
    placeholders: dict[str, str],
    *,
    severity: IssueSeverity = IssueSeverity.WARNING,
    fixable: bool = False,
    persistent: bool = False,
) -> None:
    async_create_issue(
        hass,
        DOMAIN,
        _id(kind, entry),
        data={"entry_id": entry.entry_id, "kind": kind, **placeholders},
        is_fixable=fixable,
        is_persistent=persistent,
        severity=severity,
        translation_key=kind,
        translation_placeholders={"title": entry.title, **placeholders},
    )
