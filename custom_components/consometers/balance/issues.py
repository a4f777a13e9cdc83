"""What a person should know about the sources of a home, as Home Assistant's repair issues."""

from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.issue_registry import (
    IssueSeverity,
    async_create_issue,
    async_delete_issue,
)

from ..const import DOMAIN

if TYPE_CHECKING:
    from .tracker import BalanceConfigEntry

SOURCES_DISAGREE: Final = "sources_disagree"


def set_disagreement(hass: HomeAssistant, entry: BalanceConfigEntry, *, disagrees: bool) -> None:
    """Say that more was injected than made for an hour, or that it is no longer so."""
    if not disagrees:
        clear(hass, entry)
        return
    async_create_issue(
        hass,
        DOMAIN,
        f"{SOURCES_DISAGREE}_{entry.entry_id}",
        is_fixable=False,
        severity=IssueSeverity.WARNING,
        translation_key=SOURCES_DISAGREE,
        translation_placeholders={"title": entry.title},
    )


def clear(hass: HomeAssistant, entry: BalanceConfigEntry) -> None:
    """Take it back."""
    async_delete_issue(hass, DOMAIN, f"{SOURCES_DISAGREE}_{entry.entry_id}")
