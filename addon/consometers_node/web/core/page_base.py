"""The base of all pages: rendering, and the refusal of requests."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing
import csv
from hashlib import sha256
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from consometers_node.i18n.text import Text, text

from .language import LANGUAGES

if TYPE_CHECKING:
    from .speech import Language

REPOSITORY = "https://github.com/consometers/consometers-home-assistant"

STATIC = "/static/{name:.+}"
"""The path of all static files."""

_PART_BYTES = 64 * 1024
_STATIC = Path(__file__).parents[1] / "static"
_TYPES = {
    ".css": "text/css",
    ".csv": "text/csv",
    ".js": "text/javascript",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
_HTMX, _CHARTS = "vendor/htmx.min.js", "vendor/uPlot.iife.min.js"
_KEEP = "private, max-age=31536000, immutable"

STALE = text("This form is too old, or was not ours: open the page again, and try once more.")
UNREADABLE = text("The form could not be read: open the page again, and retry.")
FAULT = text("An error occurred in the node. Nothing was changed; see its log for details.")
ERRORS = {
    404: text("There is no such page."),
    405: text("This page does not support this request."),
    413: text("That is too long."),
}


async def send_file(
    request: web.Request,
    name: str,
    parts: AsyncIterator[str],
    harden: Callable[[web.Request, web.StreamResponse], Awaitable[None]] | None = None,
) -> web.StreamResponse:
    """Stream a file as it is made: it is never whole in memory."""
    headers = {
        "Content-Type": f"{_TYPES[Path(name).suffix]}; charset=utf-8",
        "Content-Disposition": attachment(name),
    }
    response = web.StreamResponse(headers=headers)
    if harden is not None:
        await harden(request, response)
    await response.prepare(request)
    async with aclosing(_larger(parts)) as chunks:
        async for chunk in chunks:
            await response.write(chunk)
    await response.write_eof()
    return response


def attachment(name: str) -> str:
    """Return the header that makes a browser store an answer as a file of that name."""
    return f'attachment; filename="{name}"'


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """Write a table as CSV (RFC 4180)."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue()


async def _larger(parts: AsyncIterator[str]) -> AsyncGenerator[bytes]:
    """Yield fewer and larger parts."""
    waiting: list[bytes] = []
    size = 0
    async for part in parts:
        waiting.append(part.encode())
        size += len(waiting[-1])
        if size >= _PART_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


class RequestRefused(Exception):
    """A request answered by an error page."""

    def __init__(self, status: int, words: Text) -> None:
        super().__init__(words.say())
        self.status = status
        self.words = words


class Files:
    """The static files present at the start, by name. No other is ever opened."""

    def __init__(self) -> None:
        self._paths = {
            file.relative_to(_STATIC).as_posix(): file
            for file in sorted(_STATIC.rglob("*"))
            if file.suffix in _TYPES
        }
        digest = sha256()
        for file in self._paths.values():
            digest.update(file.read_bytes())
        self.stamp = digest.hexdigest()[:12]
        """Changes when any of the files does."""
        self.scripts = [name for name in (_HTMX, _CHARTS) if name in self._paths]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        path = self._paths.get(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound
        caching = _KEEP if request.query_string == self.stamp else "no-cache"
        headers = {"Cache-Control": caching, "Content-Type": _TYPES[path.suffix]}
        return web.FileResponse(path, headers=headers)


class PageBase:
    """Renders templates, with their common variables."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.files = Files()

    def render(self, template: str, language: Language, **model: Any) -> str:
        # Templates and languages take 8 MiB, that a node whose pages nobody opens can do without.
        from .rendering import environment  # noqa: PLC0415

        return (
            environment()
            .get_template(template)
            .render(
                language=language,
                languages=LANGUAGES,
                version=self.version,
                stamp=self.files.stamp,
                **model,
            )
        )

    def respond(self, template: str, language: Language, status: int, **model: Any) -> web.Response:
        """Return a page in its language."""
        return web.Response(
            text=self.render(template, language, **model),
            status=status,
            content_type="text/html",
            headers={"Content-Language": language.tag},
        )
