"""Data needs in all versions, and the answers to each."""

from collections import Counter
from collections.abc import Mapping
import re
from typing import Any

from aiohttp import web

from consometers_node.collective.members.members import Members
from consometers_node.collective.permissions import member_permissions, needs
from consometers_node.collective.permissions.needs import OwnNeed
from consometers_node.i18n.text import text
from consometers_node.permission import DataNeed, State
from consometers_node.series import Direction
from consometers_node.sharing import consent_text
from consometers_node.web.admin.page_base import AdminPages
from consometers_node.web.admin.pager import Pager
from consometers_node.web.core.admin_context import AdminContext
from consometers_node.web.core.language import LANGUAGES
from consometers_node.web.core.page_base import RequestRefused, attachment
from consometers_node.web.core.speech import Language
from consometers_node.wire import write_need_file

_AT_ONCE = 100
_MOST_DIGITS = 9
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_NONE = text("There is no such data request.")
_LOST = text(
    "This data request cannot be read: the list of data requests says why, and what to do."
)


async def show(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """List the data needs."""
    async with pages.store.reading() as connection:
        all_versions = await needs.all_needs(connection)
        lost = await needs.unreadable(connection)
        answers = await member_permissions.answers(connection)
    # Versions with the number of members that allowed them, the newest first.
    by_id: dict[str, list[tuple[OwnNeed, int]]] = {}
    for version in all_versions:
        allowed = answers[version.need.id, version.need.version, State.GRANTED]
        by_id.setdefault(version.need.id, []).insert(0, (version, allowed))
    return pages.page(
        context,
        "needs.html",
        asked=[versions for versions in by_id.values() if versions[0][0].closed_at is None],
        closed=[versions for versions in by_id.values() if versions[0][0].closed_at is not None],
        lost=[(need, answers[need.need.id, need.need.version, State.GRANTED]) for need in lost],
        **WORDS,
    )


async def show_version(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Show one version as members read it, and who answered it."""
    version = await _version(pages, context)
    async with pages.store.reading() as connection:
        answers = await member_permissions.answers_to(
            connection, version.need.id, version.need.version
        )
        answers.sort(key=lambda answer: answer.valid_from, reverse=True)
        pager = Pager.asked(context, len(answers), _AT_ONCE)
        members = Members(connection, pages.settings.time_zone)
        shown = [
            (await members.get(answer.member), answer)
            for answer in answers[pager.first : pager.end]
        ]
    return pages.page(
        context,
        "need.html",
        own_need=version,
        answers=shown,
        states=Counter(answer.state for answer in answers),
        pager=pager,
        **as_read(pages, version.need),
        **WORDS,
    )


async def download(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Return one version as a file that can be offered again."""
    need = (await _version(pages, context)).need
    name = _NOT_A_NAME.sub("-", need.id)[:60].strip("-.") or "need"
    return web.Response(
        text=write_need_file(need),
        content_type="application/toml",
        charset="utf-8",
        headers={"Content-Disposition": attachment(f"{name}-{need.version}.toml")},
    )


async def close(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Close a data need."""
    await pages.actions(context).close(context.named("need"))
    return context.go("needs?done=closed")


async def reopen(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Offer the newest version of a data need again."""
    await pages.actions(context).reopen(context.named("need"))
    return context.go("needs?done=reopened")


def as_read(pages: AdminPages, need: DataNeed) -> Mapping[str, Any]:
    """Return what a household's page has to show a data need, in each language."""
    return {
        "need": need,
        "question": {"peer": {"jid": pages.settings.xmpp.account, "name": pages.settings.name}},
        "wanted": need.directions,
        "by_name": consent_text.shown_by_name(need),
        "policy": need.policy_link,
        "who_could_read": consent_text.WHO_COULD_READ,
        "speeches": [Language(tag, pages.settings.time_zone) for tag in LANGUAGES],
    }


WORDS: Mapping[str, Any] = {
    "directions": consent_text.DIRECTIONS,
    "intervals": consent_text.INTERVALS,
    "identifications": consent_text.IDENTIFICATIONS,
    "answered": consent_text.STATES,
    "State": State,
    "Direction": Direction,
}


async def _version(pages: AdminPages, context: AdminContext) -> OwnNeed:
    """Return the version in the URL. Raises RequestRefused."""
    typed = context.named("version")
    async with pages.store.reading() as connection:
        versions = await needs.versions(connection, context.named("need"))
        lost = await needs.unreadable(connection)
    version_number = int(typed) if len(typed) <= _MOST_DIGITS else 0
    for version in versions:
        if version.need.version == version_number:
            return version
    is_lost = any(
        (need.need.id, need.need.version) == (context.named("need"), version_number)
        for need in lost
    )
    raise RequestRefused(404, _LOST if is_lost else _NONE)
