"""What pages load: a stylesheet, a script, the mark, and what comes from npm if it is there."""

from hashlib import sha256
from pathlib import Path

from aiohttp import web

_STATIC = Path(__file__).with_name("static")
_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
_HTMX, _CHARTS = "vendor/htmx.min.js", "vendor/uPlot.iife.min.js"
_KEEP = "private, max-age=31536000, immutable"


class Files:
    """The files that were there at the start, by name. No other is ever opened."""

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
        """Changes when any of them does."""
        self.scripts = [name for name in (_HTMX, _CHARTS) if name in self._paths]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Return a file."""
        path = self._paths.get(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound
        kept = _KEEP if request.query_string == self.stamp else "no-cache"
        headers = {"Cache-Control": kept, "Content-Type": _TYPES[path.suffix]}
        return web.FileResponse(path, headers=headers)
