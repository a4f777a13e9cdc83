"""Repair issues in Home Assistant: one for each kind and entry."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.issue_registry import (
    IssueSeverity,
    async_create_issue,
    async_delete_issue,
    async_get,
)

from .const import DOMAIN


def report(
    hass: HomeAssistant,
    entry: ConfigEntry,
    kind: str,
    *,
    holds: bool = True,
    severity: IssueSeverity = IssueSeverity.WARNING,
    fixable: bool = False,
    persistent: bool = False,
    **placeholders: str,
) -> None:
    """Create an issue about an entry, with its kind's text, or delete it if it does not hold."""
    if not holds:
        delete(hass, entry, kind)
        return
    async_create_issue(
        hass,
        DOMAIN,
        f"{kind}_{entry.entry_id}",
        data={"entry_id": entry.entry_id, "kind": kind, **placeholders},
        is_fixable=fixable,
        is_persistent=persistent,
        severity=severity,
        translation_key=kind,
        translation_placeholders={"title": entry.title, **placeholders},
    )


def delete(hass: HomeAssistant, entry: ConfigEntry, *kinds: str) -> None:
    """Delete an issue of an entry."""
    for kind in kinds:
        async_delete_issue(hass, DOMAIN, f"{kind}_{entry.entry_id}")


def ids(hass: HomeAssistant, entry: ConfigEntry) -> set[str]:
    """Return the ids of an entry's issues."""
    issues = async_get(hass).issues
    return {each for domain, each in issues if domain == DOMAIN and entry.entry_id in each}


def clear(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Delete all issues of an entry."""
    for issue_id in ids(hass, entry):
        async_delete_issue(hass, DOMAIN, issue_id)
