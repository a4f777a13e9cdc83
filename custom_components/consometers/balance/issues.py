"""What a person should know about the sources of a home, as Home Assistant's repair issues."""

from collections.abc import Iterable
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
SOURCES_GONE: Final = "sources_gone"


def set_disagreement(hass: HomeAssistant, entry: BalanceConfigEntry, *, disagrees: bool) -> None:
    """Say that more was injected than made for an hour, or that it is no longer so."""
    _set(hass, entry, SOURCES_DISAGREE, holds=disagrees)


def set_gone(hass: HomeAssistant, entry: BalanceConfigEntry, sources: Iterable[str]) -> None:
    """Say which sources do not exist any more, or that all do."""
    gone = ", ".join(sources)
    _set(hass, entry, SOURCES_GONE, holds=bool(gone), sources=gone)


def clear(hass: HomeAssistant, entry: BalanceConfigEntry) -> None:
    """Take all of it back."""
    for kind in (SOURCES_DISAGREE, SOURCES_GONE):
        _set(hass, entry, kind, holds=False)


def _set(
    hass: HomeAssistant, entry: BalanceConfigEntry, kind: str, *, holds: bool, **more: str
) -> None:
    issue_id = f"{kind}_{entry.entry_id}"
    if not holds:
        async_delete_issue(hass, DOMAIN, issue_id)
        return
    async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=False,
        severity=IssueSeverity.WARNING,
        translation_key=kind,
        translation_placeholders={"title": entry.title, **more},
    )
