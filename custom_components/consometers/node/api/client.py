"""An HTTP client of a node."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from yarl import URL

from .answers import Node, VersionTooNew, node

TIMEOUT_S: Final = 10.0
SILENCE_S: Final = 75.0
"""A node sends something at least every half minute: twice that is too long."""

_LONGEST_LINE: Final = 10_000
_CHANGED: Final = (b"event: changed", b"event:changed")


class NodeError(Exception):
    """A request to the node failed; `key` names the sentence that says why."""

    key = "cannot_connect"


class WrongToken(NodeError):
    """The node rejects the token."""

    key = "invalid_auth"


class TooManyAttempts(NodeError):
    """The node got wrong tokens, and is locked for a minute."""

    key = "too_many_attempts"


class NotANode(NodeError):
    """Something else answers."""

    key = "not_a_node"


class _NotFound(NotANode):
    """Nothing is at that path."""


class TooNew(NodeError):
    """The node's version of the API is not supported yet."""

    key = "api_too_new"


class OtherNode(NodeError):
    """Another node than before answers."""

    key = "other_node"


class NoSuchCollective(NodeError):
    """The node knows no such collective, or no longer."""

    key = "no_such_collective"


class InvalidUrl(NodeError):
    """No node can be at such a URL."""

    key = "invalid_url"


def base_url(typed: str) -> str:
    """Return the normalized URL of a node. Raises InvalidUrl."""
    text = typed.strip()
    try:
        url = URL(text if "://" in text else f"http://{text}")
        port = url.port
    except ValueError as error:
        raise InvalidUrl from error
    if url.scheme not in ("http", "https") or not url.host or not port or url.user is not None:
        raise InvalidUrl
    return str(url.with_query(None).with_fragment(None)).rstrip("/")


class NodeClient:
    """One node, with its token."""

    def __init__(self, session: ClientSession, url: str, token: str) -> None:
        """Store the address."""
        self._session = session
        self._api = f"{url}/api/v1"
        self._headers = {"Authorization": f"Bearer {token}"}

    async def node(self) -> Node:
        """Request the state of the node. Raises NodeError."""
        async with self._ask("GET", "node", ClientTimeout(total=TIMEOUT_S)) as response:
            try:
                return node(await response.json(content_type=None))
            except VersionTooNew as error:
                raise TooNew from error

    async def pause(self, collective_id: str, *, paused: bool) -> None:
        """Pause the grants of a collective, or resume them. Raises NodeError."""
        what = "pause" if paused else "resume"
        path = f"collectives/{quote(collective_id, safe='')}/{what}"
        try:
            async with self._ask("POST", path, ClientTimeout(total=TIMEOUT_S)):
                pass
        except _NotFound as error:
            raise NoSuchCollective from error

    async def changes(self) -> AsyncGenerator[None]:
        """Yield once the node is heard, and each time that something may have changed.

        Ends when the node ends it. Raises NodeError.
        """
        within = ClientTimeout(total=None, connect=TIMEOUT_S, sock_read=SILENCE_S)
        async with self._ask("GET", "events", within) as response:
            if response.content_type != "text/event-stream":
                raise NotANode
            yield
            rest = b""
            async for chunk in response.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                if len(rest) > _LONGEST_LINE:
                    raise NotANode
                if any(line.rstrip() in _CHANGED for line in lines):
                    yield

    @asynccontextmanager
    async def _ask(
        self, method: str, path: str, within: ClientTimeout
    ) -> AsyncIterator[ClientResponse]:
        try:
            async with self._session.request(
                method,
                f"{self._api}/{path}",
                headers=self._headers,
                timeout=within,
                # The token is for the node alone.
                allow_redirects=False,
            ) as response:
                if response.status != HTTPStatus.OK:
                    raise _error(response.status)
                yield response
        except (ClientError, OSError) as error:
            raise NodeError from error
        except ValueError as error:
            raise NotANode from error


def _error(status: int) -> NodeError:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return NodeError()
    errors: dict[int, type[NodeError]] = {
        HTTPStatus.UNAUTHORIZED: WrongToken,
        HTTPStatus.TOO_MANY_REQUESTS: TooManyAttempts,
        HTTPStatus.NOT_FOUND: _NotFound,
    }
    return errors.get(status, NotANode)()
