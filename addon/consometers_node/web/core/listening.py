"""A hardened HTTP listener: timeouts, limits on connections, and unambiguous requests only.

aiohttp's own parser has refused requests that two servers would part in different ways.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
import logging
import re
import socket
from typing import TYPE_CHECKING, Any, cast, override

from aiohttp import hdrs, web

from consometers_node.i18n.text import text

from .rate_limit import home_of, is_among, peer_of

if TYPE_CHECKING:
    from consometers_node.settings_file.formats import Network

_ENDS_WITHIN_S = 0.5
"""Event streams never end by themselves, and an add-on is killed after ten seconds."""
DEEPEST = 16
"""No address of ours has more parts; links of a page lead up by each part of its address."""
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[\w.~-]{1,255})(?::\d{0,5})?", re.ASCII)
_SINGLE = (
    hdrs.AUTHORIZATION,
    hdrs.CONTENT_TYPE,
    hdrs.ORIGIN,
    "Sec-Fetch-Site",
    "X-Ingress-Path",
    "X-Remote-User-Id",
    "X-Remote-User-Name",
    "X-Remote-User-Display-Name",
)
"""Headers that must not come twice: two servers may read different ones."""

_FAILED = text("A request could not be answered.")
_LOGGER = logging.getLogger(__name__)

type _Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Timeouts and limits of connections, in seconds.

    `head_s` is for the head of a request, from the moment when a visitor may send one; `body_s` for
    the rest of it, of which `lingers_s` after it was answered; `unread_s` for an answer of which
    nothing is read. A proxy may keep connections for later, and is bounded by all `connections`
    alone.
    """

    head_s: float = 20.0  # longer than Home Assistant keeps a connection to use it again
    body_s: float = 30.0
    lingers_s: float = 2.0
    unread_s: float = 30.0
    connections: int = 512
    of_one: int = 64


@asynccontextmanager
async def listening(
    app: web.Application,
    host: str,
    port: int,
    proxies: Collection[Network] = (),
    bounds: Bounds | None = None,
) -> AsyncIterator[int]:
    """Listen, and yield the port. Raises OSError where that cannot be."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_ENDS_WITHIN_S)
    lines = _Lines(bounds or Bounds(), proxies)
    await runner.setup()
    try:
        manager = runner.server
        assert manager is not None
        manager.request_handler = _read(manager.request_handler)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: _Line(lines, manager, loop), host, port, backlog=lines.bounds.connections
        )
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
    finally:
        await runner.cleanup()
        await lines.end_handlers()


class _Lines:
    """All connections, by the home that each comes from.

    `handlers` are those of connections that were lost as well, which aiohttp does not end.
    """

    def __init__(self, bounds: Bounds, proxies: Collection[Network]) -> None:
        self.bounds = bounds
        self.handlers: set[asyncio.Task[None]] = set()
        self._proxies = proxies
        self._by_home: dict[str, dict[_Line, None]] = {}
        self._count = 0

    def add(self, line: _Line, peer: str) -> None:
        """Count a new connection; beyond the limit, an idle one ends for it."""
        line.home = home_of(peer)
        line.is_of_proxy = is_among(peer, self._proxies)
        lines = self._by_home.setdefault(line.home, {})
        lines[line] = None
        self._count += 1
        if len(lines) > self.bounds.of_one and not line.is_of_proxy:
            self._end_one(lines)
        elif self._count > self.bounds.connections:
            self._end_one(max(self._by_home.values(), key=len))

    def remove(self, line: _Line) -> None:
        """Forget a connection that ended."""
        lines = self._by_home.get(line.home, {})
        if line in lines:
            del lines[line]
            self._count -= 1
            if not lines:
                del self._by_home[line.home]

    async def end_handlers(self) -> None:
        """End what still handles a request, so that nothing reads a store that is closed next."""
        if self.handlers:
            _, late = await asyncio.wait(self.handlers, timeout=_ENDS_WITHIN_S)
            for handler in late:
                handler.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _end_one(self, lines: Collection[_Line]) -> None:
        """End the connection that has waited longest for a request, else the newest one."""
        *_, last = lines
        line = next((line for line in lines if line.waits), last)
        self.remove(line)
        line.end()


class _Line(web.RequestHandler):
    """A connection. It ends when it keeps the node waiting for too long."""

    home = ""
    is_of_proxy = False

    def __init__(self, lines: _Lines, manager: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        quiet: Any = {"access_log": None}
        super().__init__(manager, loop=loop, lingering_time=lines.bounds.lingers_s, **quiet)
        self._lines = lines
        self._timer: asyncio.TimerHandle | None = None
        self._request: web.BaseRequest | None = None

    @property
    def waits(self) -> bool:
        """Whether the connection waits for the visitor."""
        return self._request is None or not self._request.content.is_eof()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        opened = transport.get_extra_info("socket")
        ms = round(self._lines.bounds.unread_s * 1000)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, ms)
        super().connection_made(transport)
        self._lines.add(self, peer_of(transport))
        if not self.is_of_proxy:
            self._end_after(self._lines.bounds.head_s)

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        self._lines.remove(self)
        self._cancel()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self._request is None and self._timer is None:
            self._end_after(self._lines.bounds.head_s)
        super().data_received(data)

    @override
    async def start(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines.handlers.add(task)
        task.add_done_callback(self._lines.handlers.discard)
        await super().start()

    def begin(self, request: web.BaseRequest) -> None:
        """Note that the head of a request has arrived."""
        self._cancel()
        self._request = request
        if not request.content.is_eof():
            self._end_after(self._lines.bounds.body_s)

    @override
    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            self._request = None
            self._cancel()
            if not self.is_of_proxy:
                self._end_after(self._lines.bounds.head_s)

    @override
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Refuse a malformed request. What was sent, and from where, is not logged."""
        if isinstance(exc, ConnectionError):
            raise exc
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _LOGGER.error(_FAILED, exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("part of the answer was sent already")
        return _refuse(status)

    def end(self) -> None:
        """End the connection, whatever is still to be sent."""
        if self.transport is not None:
            self.transport.abort()

    def _end_after(self, seconds: float) -> None:
        if self.transport is not None:
            self._timer = self._loop.call_later(seconds, self._end_unless_read)

    def _end_unless_read(self) -> None:
        # An answer on its way is for its reader to take, and for the system to give up.
        if self.transport is not None and self.transport.get_write_buffer_size():
            self._end_after(self._lines.bounds.head_s)
        elif self._request is None or not self._request.content.is_eof():
            self.end()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _read(handle: _Handle) -> _Handle:
    """Answer requests whose head is unambiguous text and not too deep; refuse all others."""

    async def read(request: web.BaseRequest) -> web.StreamResponse:
        cast("_Line", request.protocol).begin(request)
        return await handle(request) if _is_readable(request) else _refuse(400)

    return read


def _is_readable(request: web.BaseRequest) -> bool:
    try:
        str(request.rel_url).encode()
        for name, value in request.raw_headers:
            name.decode("ascii")
            value.decode()
    except UnicodeError:
        return False
    if request.path.count("/") > DEEPEST:
        return False
    hosts = request.headers.getall(hdrs.HOST, [])
    if len(hosts) != 1 and (hosts or request.version >= (1, 1)):
        return False
    if not all(_HOST.fullmatch(host) for host in hosts):
        return False
    return all(len(request.headers.getall(name, ())) <= 1 for name in _SINGLE)


def _refuse(status: int) -> web.Response:
    headers = {"Server": "consometers", "X-Content-Type-Options": "nosniff"}
    response = web.Response(status=status, text=f"{HTTPStatus(status).phrase}\n", headers=headers)
    response.force_close()
    return response
