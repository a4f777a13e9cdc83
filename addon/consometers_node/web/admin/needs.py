"""What is asked for, in all versions, and who answered which of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import re
from typing import Any

from aiohttp import web

from ...collective.members.members import Members
from ...collective.permissions import member_permissions, needs
from ...collective.permissions.needs import OwnNeed
from ...permission import DataNeed, State
from ...quoalise.text import text
from ...series import Direction
from ...sharing import consent_text
from ...wire import write_need_file
from ..language import LANGUAGES
from ..speech import Language
from .handlers import AdminDesk, Refused
from .pager import Pager
from .visit import Visit

_AT_ONCE = 100
_MOST_DIGITS = 9
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_NONE = text("There is no such data request.")
_LOST = text(
    "This data request cannot be read: the list of data requests says why, and what to do."
)


@dataclass(frozen=True, slots=True)
class Known:
    """A data need in all of its versions, the newest first, and how many members allowed each."""

    versions: Sequence[tuple[OwnNeed, int]]

    @property
    def newest(self) -> OwnNeed:
        """What is asked for, or was last."""
        return self.versions[0][0]

    @property
    def is_asked(self) -> bool:
        """Return whether members can answer it."""
        return self.newest.closed_at is None


async def show(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """List what is asked for."""
    async with desk.store.reading() as connection:
        every = await needs.all_needs(connection)
        lost = await needs.unreadable(connection)
        answers = await member_permissions.answers(connection)
    by_id: dict[str, list[OwnNeed]] = {}
    for one in every:
        by_id.setdefault(one.need.id, []).append(one)
    known = [
        Known(
            [
                (one, answers[one.need.id, one.need.version, State.GRANTED])
                for one in reversed(versions)
            ]
        )
        for versions in by_id.values()
    ]
    return desk.page(
        visit,
        "needs.html",
        asked=[one for one in known if one.is_asked],
        closed=[one for one in known if not one.is_asked],
        lost=[(one, answers[one.need.id, one.need.version, State.GRANTED]) for one in lost],
        **WORDS,
    )


async def show_version(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Show one version as members read it, and who answered it."""
    one = await _version(desk, visit)
    async with desk.store.reading() as connection:
        answers = await member_permissions.answers_to(connection, one.need.id, one.need.version)
        answers.sort(key=lambda answer: answer.valid_from, reverse=True)
        pager = Pager.of(visit, len(answers), _AT_ONCE)
        members = Members(connection, desk.settings.time_zone)
        shown = [
            (await members.get(answer.member), answer)
            for answer in answers[pager.first : pager.end]
        ]
    return desk.page(
        visit,
        "need.html",
        one=one,
        answers=shown,
        states=Counter(answer.state for answer in answers),
        pager=pager,
        **as_read(desk, one.need),
        **WORDS,
    )


async def download(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Return one version as a file that can be offered again."""
    need = (await _version(desk, visit)).need
    name = _NOT_A_NAME.sub("-", need.id)[:60].strip("-.") or "need"
    return web.Response(
        text=write_need_file(need),
        content_type="application/toml",
        charset="utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}-{need.version}.toml"'},
    )


async def close(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Ask for something no longer."""
    need = visit.named("need")
    async with desk.store.writing() as connection:
        await needs.close(connection, need, visit.now)
        await desk.note(connection, visit, f"data need {need} closed")
    desk.changed()
    return visit.go("needs?done=closed")


async def reopen(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Ask for the newest version of something again."""
    need = visit.named("need")
    async with desk.store.writing() as connection:
        await needs.reopen(connection, need)
        await desk.note(connection, visit, f"data need {need} asked for again")
    desk.changed()
    return visit.go("needs?done=reopened")


def as_read(desk: AdminDesk, need: DataNeed) -> Mapping[str, Any]:
    """Return what a household's page has to show a data need, in each language."""
    return {
        "need": need,
        "question": {"peer": {"jid": desk.settings.xmpp.account, "name": desk.settings.name}},
        "wanted": [way for way in Direction if any(one.direction is way for one in need.wanted)],
        "by_name": consent_text.shown_by_name(need),
        "policy": need.policy if need.policy.startswith("https://") else None,
        "speeches": [Language(tag, desk.settings.time_zone) for tag in LANGUAGES],
    }


WORDS: Mapping[str, Any] = {
    "directions": consent_text.DIRECTIONS,
    "intervals": consent_text.INTERVALS,
    "identifications": consent_text.IDENTIFICATIONS,
    "answered": consent_text.STATES,
    "State": State,
    "Direction": Direction,
}


async def _version(desk: AdminDesk, visit: Visit) -> OwnNeed:
    """Return the version that the address names. Raises Refused."""
    typed = visit.named("version")
    async with desk.store.reading() as connection:
        known = await needs.versions(connection, visit.named("need"))
        lost = await needs.unreadable(connection)
    number = int(typed) if len(typed) <= _MOST_DIGITS else 0
    for one in known:
        if one.need.version == number:
            return one
    is_lost = any((one.need.id, one.need.version) == (visit.named("need"), number) for one in lost)
    raise Refused(404, _LOST if is_lost else _NONE)
