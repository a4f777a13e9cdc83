"""All that the node holds of the home: to take along, or to erase."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime

from aiohttp import web

from ..permission import Permissions, State
from ..quoalise import Text
from ..quoalise.text import text
from ..sharing import consent_text
from ..sharing.export import as_csv, as_json, erase_all
from ..store.series import all_series, days_kept
from .handlers import Desk
from .visit import Visit

_ATTACHED = 'attachment; filename="consometers-{day}.{ending}"'
_AT_ONCE = 64 * 1024
_TICK = text("Tick the box to say that you mean it: this cannot be undone.")


async def show(desk: Desk, visit: Visit) -> web.StreamResponse:
    """Return what is here."""
    return await _show(desk, visit)


async def export_json(desk: Desk, visit: Visit) -> web.StreamResponse:
    """Return everything."""
    return await _export(desk, visit, "json", "application/json")


async def export_csv(desk: Desk, visit: Visit) -> web.StreamResponse:
    """Return the records."""
    return await _export(desk, visit, "csv", "text/csv")


async def erase(desk: Desk, visit: Visit) -> web.StreamResponse:
    """Withdraw everything, and erase what is here."""
    if visit.typed("sure") != "yes":
        return await _show(desk, visit, _TICK)
    await erase_all(desk.node.store, visit.person.id, visit.language.tag)
    desk.changed()
    return visit.go("mine?done=erased")


async def _show(desk: Desk, visit: Visit, error: Text | None = None) -> web.StreamResponse:
    async with desk.node.store.reading() as connection:
        series = await all_series(connection)
        days = await days_kept(connection)
        granted = [one for one in await Permissions(connection).all() if one.state is State.GRANTED]
    return desk.page(
        visit,
        "mine.html",
        status=422 if error else 200,
        error=error,
        kept=[(number, one, days[number]) for number, one in series.items() if number in days],
        granted=len(granted),
        directions=consent_text.DIRECTIONS,
        intervals=consent_text.INTERVALS,
    )


async def _export(desk: Desk, visit: Visit, ending: str, content_type: str) -> web.StreamResponse:
    """Send it as it is read: nothing of it is ever whole in memory."""
    day = datetime.now(UTC).date().isoformat()
    response = web.StreamResponse(
        headers={
            "Content-Type": f"{content_type}; charset=utf-8",
            "Content-Disposition": _ATTACHED.format(day=day, ending=ending),
        }
    )
    desk.harden(response)
    await response.prepare(visit.request)
    parts = (as_json if ending == "json" else as_csv)(desk.node.store)
    async with aclosing(_gathered(parts)) as gathered:
        async for part in gathered:
            await response.write(part)
    await response.write_eof()
    return response


async def _gathered(parts: AsyncIterator[str]) -> AsyncGenerator[bytes]:
    """Yield fewer and larger parts."""
    waiting: list[bytes] = []
    size = 0
    async for part in parts:
        waiting.append(part.encode())
        size += len(waiting[-1])
        if size >= _AT_ONCE:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)
