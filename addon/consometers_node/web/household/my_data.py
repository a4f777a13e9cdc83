"""All of the node's data about the home: to download, or to erase."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aiohttp import web

from consometers_node.i18n.text import Text, text
from consometers_node.permission import Permissions, State
from consometers_node.sharing import consent_text
from consometers_node.sharing.export import as_csv, as_json, erase_all
from consometers_node.sharing.permissions.consent import DataRequest, data_request
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.household.enrolments import enrolments
from consometers_node.store.peers import all_peers
from consometers_node.store.series import all_series, stored_days
from consometers_node.web.core.page_base import send_file
from consometers_node.web.core.request_context import RequestContext

from .page_base import Pages

if TYPE_CHECKING:
    from consometers_node.sharing.openings import Openings

_TICK = text("Tick the box to confirm: this cannot be undone.")


async def show(
    pages: Pages, context: RequestContext, error: Text | None = None
) -> web.StreamResponse:
    """Show the stored data."""
    async with pages.node.store.reading() as connection:
        series = await all_series(connection)
        days = await stored_days(connection)
        peers = await all_peers(connection)
        granted = [
            permission
            for permission in await Permissions(connection).all()
            if permission.state is State.GRANTED
        ]
        sums = await _sums(connection)
    return pages.page(
        context,
        "mine.html",
        status=422 if error else 200,
        error=error,
        stored=[
            (series_id, stored, days[series_id])
            for series_id, stored in series.items()
            if series_id in days
        ],
        granted=len(granted),
        peers=peers,
        sums=sums,
        who_could_read=consent_text.WHO_COULD_READ,
        directions=consent_text.DIRECTIONS,
        intervals=consent_text.INTERVALS,
    )


async def export(pages: Pages, context: RequestContext, ending: str) -> web.StreamResponse:
    """Return everything as JSON, or the records as CSV."""
    name = f"consometers-{datetime.now(UTC).date().isoformat()}.{ending}"
    parts = (as_json if ending == "json" else as_csv)(pages.node.store)
    return await send_file(context.request, name, parts)


async def erase(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Withdraw everything, and erase the stored data."""
    if context.typed("sure") != "yes":
        return await show(pages, context, _TICK)
    await erase_all(pages.node.store, context.person.id, context.language.tag)
    pages.changed()
    return context.go("mine?done=erased")


async def _sums(connection: AsyncConnection) -> list[tuple[DataRequest, Openings]]:
    """Return each permission for sums that has reached its witness, with the opened sums."""
    enrolled = await enrolments(connection)
    if not enrolled:
        return []
    # A home without protected sums never loads them.
    from consometers_node.sharing.openings import all_openings  # noqa: PLC0415

    return [
        (await data_request(connection, permission_id), openings)
        for permission_id, openings in (await all_openings(connection)).items()
        if openings.enrolment.enrolled_at is not None
    ]
