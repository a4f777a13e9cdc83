"""Repair issues about sharing."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.issue_registry import (
    IssueSeverity,
    async_create_issue,
    async_delete_issue,
)
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..issues import ids
from .api.answers import Collective, Node, Permission, words_in
from .foreign import in_markdown, isolated, letter_in_markdown

SHARING_STUCK: Final = "sharing_stuck"
PERMISSION_EXPIRES: Final = "permission_expires"
NEED_CHANGED: Final = "need_changed"
CLOCK_WRONG: Final = "clock_wrong"
MESSAGE: Final = "message"

STUCK_AFTER: Final = timedelta(days=1)
EXPIRES_WITHIN: Final = timedelta(days=14)


type _Issue = tuple[str, str, dict[str, str]]
"""Its kind, what it is about, and its placeholders."""


def keep(hass: HomeAssistant, entry: ConfigEntry, node: Node, page: str) -> None:
    """Create the present issues, and delete the others."""
    language = hass.config.language
    issues_now = [
        issue for collective in node.collectives for issue in _issues_of(collective, language)
    ]
    if node.clock is not None:
        issues_now.append((CLOCK_WRONG, node.id, {"why": words_in(language, node.clock)}))
    issues = {
        f"{kind}_{entry.entry_id}_{about}": (kind, placeholders)
        for kind, about, placeholders in issues_now
    }
    for issue_id in ids(hass, entry) - issues.keys():
        async_delete_issue(hass, DOMAIN, issue_id)
    for issue_id, (kind, placeholders) in issues.items():
        async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            is_fixable=False,
            learn_more_url=page,
            severity=IssueSeverity.WARNING,
            translation_key=kind,
            translation_placeholders=placeholders,
        )


def _issues_of(collective: Collective, language: str) -> Iterator[_Issue]:
    named = {"name": isolated(collective.name), "collective": in_markdown(collective.name)}
    since = collective.waiting_since
    if since is not None and not collective.paused and since <= dt_util.utcnow() - STUCK_AFTER:
        yield SHARING_STUCK, collective.id, named
    for letter in collective.letters or ():
        words = letter_in_markdown(words_in(language, letter.text))
        yield MESSAGE, f"{collective.id}_{letter.id}", {**named, "message": words}
    for permission in collective.granted:
        placeholders = {
            **named,
            "permission": in_markdown(words_in(language, permission.title)),
        }
        if permission.newer_version is not None:
            yield NEED_CHANGED, permission.id, placeholders
        if (last_day := _last_day_if_near(permission)) is not None:
            yield PERMISSION_EXPIRES, permission.id, {**placeholders, "date": last_day}


def _last_day_if_near(permission: Permission) -> str | None:
    until = permission.valid_until
    if until is None or until > dt_util.utcnow() + EXPIRES_WITHIN:
        return None
    return dt_util.as_local(until).date().isoformat()
