"""What is done with what members tell, for article 30 of the GDPR; and every change of it."""

from collections.abc import Iterable, Sequence
import csv
import io

from aiohttp import web

from ...collective.permissions import member_permissions, needs
from ...collective.privacy.processing_records import BASIS, PERSONS, SECURITY, processing
from ...quoalise import iso8601
from ...sharing import consent_text
from ...sharing.export import Told
from .handlers import AdminDesk
from .pager import Pager
from .visit import Visit
from .words import ACTORS

_AT_ONCE = 50
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would compute."""
_ATTACHED = 'attachment; filename="{name}-{day}.{ending}"'


async def show(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Return what is done with what members tell, and the last changes of permissions."""
    async with desk.store.reading() as connection:
        done = await processing(connection)
        lost = await needs.unreadable(connection)
        changes = await member_permissions.register(connection)
    changes.reverse()
    pager = Pager.of(visit, len(changes), _AT_ONCE)
    return desk.page(
        visit,
        "register.html",
        done_with=done,
        lost=lost,
        persons=PERSONS,
        basis=BASIS,
        security=SECURITY,
        changes=changes[pager.first : pager.end],
        pager=pager,
        states=consent_text.STATES,
        actors=ACTORS,
    )


async def download_json(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Return the register of processing for programs, in both languages."""
    async with desk.store.reading() as connection:
        done = await processing(connection)
    response = web.json_response([one.told() for one in done])
    response.headers["Content-Disposition"] = _attached(visit, "register", "json")
    return response


async def download_csv(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Return the register of processing as a table, in the reader's language."""
    async with desk.store.reading() as connection:
        done = [one.told() for one in await processing(connection)]
    titles = list(done[0]) if done else []
    rows = [[_cell(visit, one[title]) for title in titles] for one in done]
    return _table(visit, "register", [titles, *rows])


async def changes_csv(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Return every change of every permission as a table."""
    async with desk.store.reading() as connection:
        changes = await member_permissions.register(connection)
    titles = ["at", "permission", "state", "actor", "sha256", "erased"]
    rows = [
        [
            iso8601.shown(one.at),
            str(one.given),
            str(one.state),
            str(one.actor),
            one.text_hash or "",
            "" if one.erased is None else str(one.erased),
        ]
        for one in changes
    ]
    return _table(visit, "permissions", [titles, *rows])


def _cell(visit: Visit, value: Told) -> str:
    """Return the words in the reader's language, where there are several."""
    if isinstance(value, dict):
        return str(value.get(visit.language.tag) or next(iter(value.values()), ""))
    return "" if value is None else str(value)


def _attached(visit: Visit, name: str, ending: str) -> str:
    return _ATTACHED.format(name=name, day=visit.today.isoformat(), ending=ending)


def _table(visit: Visit, name: str, rows: Iterable[Sequence[str]]) -> web.Response:
    written = io.StringIO()
    plain = [[f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row] for row in rows]
    csv.writer(written, lineterminator="\r\n").writerows(plain)
    headers = {"Content-Disposition": _attached(visit, name, "csv")}
    return web.Response(text=written.getvalue(), content_type="text/csv", headers=headers)
