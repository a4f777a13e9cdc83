"""The record of processing (GDPR, article 30), and every change of a permission."""

from collections.abc import Iterable, Sequence

from aiohttp import web

from consometers_node.collective.monitoring.backups import BackupStep, backups
from consometers_node.collective.permissions import member_permissions, needs
from consometers_node.collective.privacy.policy import draft, read_facts
from consometers_node.collective.privacy.processing_records import BASIS, SECURITY, processing
from consometers_node.sharing import consent_text
from consometers_node.store.personal import Json
from consometers_node.web.core.admin_context import AdminContext
from consometers_node.web.core.page_base import attachment, csv_text
from consometers_quoalise import iso8601

from .page_base import AdminPages
from .pager import Pager
from .words import ACTORS

_AT_ONCE = 50
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Characters that a spreadsheet would take for a formula."""


async def show(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Show the record of processing, and the last changes of permissions."""
    async with pages.store.reading() as connection:
        records = await processing(connection, pages.settings, context.now)
        lost = await needs.unreadable(connection)
        changes = await member_permissions.register(connection)
    changes.reverse()
    pager = Pager.asked(context, len(changes), _AT_ONCE)
    return pages.page(
        context,
        "register.html",
        records=records,
        lost=lost,
        basis=BASIS,
        security=SECURITY,
        changes=changes[pager.first : pager.end],
        pager=pager,
        states=consent_text.STATES,
        actors=ACTORS,
    )


async def download_json(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Return the register of processing for programs, in both languages."""
    response = web.json_response(await _documents(pages, context))
    response.headers["Content-Disposition"] = _attached(context, "register", "json")
    return response


async def download_csv(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Return the register of processing as a table, in the reader's language."""
    done = await _documents(pages, context)
    titles = list(done[0]) if done else []
    rows = [[_cell(context, row[title]) for title in titles] for row in done]
    return _table(context, "register", [titles, *rows])


async def policy(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Return the draft of a data policy, in the reader's language."""
    async with pages.store.reading() as connection:
        off_site = BackupStep.COPIED in (await backups(connection)).last
        facts = await read_facts(connection, pages.settings, off_site=off_site)
    document = draft(facts, context.language.tag)
    headers = {"Content-Disposition": _attached(context, "policy", "md")}
    return web.Response(text=document, content_type="text/markdown", headers=headers)


async def changes_csv(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Return every change of every permission as a table."""
    async with pages.store.reading() as connection:
        changes = await member_permissions.register(connection)
    titles = ["at", "permission", "state", "actor", "sha256", "erased"]
    rows = [
        [
            iso8601.shown(change.at),
            str(change.permission),
            str(change.state),
            str(change.actor),
            change.text_hash or "",
            "" if change.erased is None else str(change.erased),
        ]
        for change in changes
    ]
    return _table(context, "permissions", [titles, *rows])


async def _documents(pages: AdminPages, context: AdminContext) -> list[dict[str, Json]]:
    async with pages.store.reading() as connection:
        records = await processing(connection, pages.settings, context.now)
    return [record.document() for record in records]


def _cell(context: AdminContext, value: Json) -> str:
    """Return the words in the reader's language, where there are several."""
    if isinstance(value, dict):
        return str(value.get(context.language.tag) or next(iter(value.values()), ""))
    return "" if value is None else str(value)


def _attached(context: AdminContext, name: str, ending: str) -> str:
    return attachment(f"{name}-{context.today.isoformat()}.{ending}")


def _table(context: AdminContext, name: str, rows: Iterable[Sequence[str]]) -> web.Response:
    plain = [[f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row] for row in rows]
    headers = {"Content-Disposition": _attached(context, name, "csv")}
    return web.Response(text=csv_text(plain), content_type="text/csv", headers=headers)
