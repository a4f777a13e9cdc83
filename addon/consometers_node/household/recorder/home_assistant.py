"""One connection to Home Assistant's websocket, opened again whenever it is lost."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
import logging
from typing import NoReturn, Self, cast

import aiohttp
from hass_client.client import HomeAssistantClient
from hass_client.exceptions import (
    AuthenticationFailed,
    BaseHassClientError,
    CannotConnect,
    ConnectionFailedDueToLargeMessage,
    FailedCommand,
)

from consometers_node.household.errors import Away, SourceFault
from consometers_node.household.waiting import BACKOFF, shielded
from consometers_node.i18n.text import Text, text
from consometers_quoalise_network.backoff import Backoff

from .errors import HomeAssistantRefusal, TooMuch, WrongToken

type Json = bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None

ANSWER_WITHIN = timedelta(seconds=60)
"""A month of hours of eight statistics takes a small machine two seconds."""
MAX_ANSWER_BYTES = 32 * 1024 * 1024
SUPERVISOR = "http://supervisor"
"""Where an add-on finds it."""

_STEADY_S = 60.0

_CONNECTED = text("connected to Home Assistant")
_NOT_YET = text("Home Assistant was not reached yet")
_ENDED = text("the node no longer connects to Home Assistant")
_SILENT = text("Home Assistant does not answer")
_LOST = text("the connection to Home Assistant was lost")
_SOMETHING_ELSE = text("the service at this address is not Home Assistant")
_SLOW = text("Home Assistant takes too long to answer {command}")
_REFUSES = text("Home Assistant refuses {command}: {why}")
_UNREACHABLE = text("Home Assistant cannot be reached")
_NO_TLS = text(
    "Home Assistant cannot be reached over https: it may speak http alone, or its certificate is"
    " not trusted here"
)
_ANOTHER_STATUS = text("Home Assistant answers {status}")
_STARTING = text("Home Assistant answers {status}: it is starting, or stopped")
_STATUS = {
    403: text("Home Assistant answers {status}: it may have banned the node’s address"),
    404: text("Home Assistant answers {status}: another service may be listening at this URL"),
    502: _STARTING,
    503: _STARTING,
}

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HomeAssistantAccess:
    """Where a Home Assistant listens, and the token for it."""

    url: str
    token: str = field(repr=False)

    @classmethod
    def at(cls, url: str, token: str) -> Self:
        """Reach it where a browser does, with a long-lived token. ValueError if that is no URL."""
        try:
            scheme, rest = url.strip().split("://")
            scheme = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}[scheme]
        except (KeyError, ValueError) as fault:
            raise ValueError("Home Assistant's URL starts with http:// or https://") from fault
        place = rest.rstrip("/").removesuffix("/api/websocket")
        return cls(f"{scheme}://{place}/api/websocket", token.strip())

    @classmethod
    def through_supervisor(cls, token: str, supervisor: str = SUPERVISOR) -> Self:
        """Reach it from an add-on, with what SUPERVISOR_TOKEN holds."""
        return cls(f"{supervisor.replace('http', 'ws', 1)}/core/websocket", token)


class HomeAssistant:
    """Home Assistant, as the holder of the token may ask it.

    `run` is the one task that connects; `ask` waits for it. Nothing is repeated by itself: a
    command that was under way when the connection went raises Away.
    """

    def __init__(
        self,
        access: HomeAssistantAccess,
        session: aiohttp.ClientSession,
        *,
        answer_within: timedelta = ANSWER_WITHIN,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        backoff: Backoff = BACKOFF,
    ) -> None:
        """Prepare; nothing is opened yet. `connections` counts those that there were."""
        self._access = access
        self._session = session
        self._timeout_s = answer_within.total_seconds()
        self._max_answer_bytes = max_answer_bytes
        self._backoff = backoff
        self._line: asyncio.Future[_Line] = asyncio.get_running_loop().create_future()
        self._state = _NOT_YET
        self.connections = 0
        self._listeners: list[tuple[str, Callable[[], None]]] = []
        # At level debug it would print each message, with the consumption of the home in it; at
        # level info the home's address.
        logging.getLogger("hass_client").setLevel(logging.WARNING)

    def listen(self, event_type: str, handler: Callable[[], None]) -> None:
        """Register a callback for each event of a type, from the next connection on.

        It is called once at each connection, too: events may have been missed.
        """
        self._listeners.append((event_type, handler))

    @property
    def is_connected(self) -> bool:
        """Whether it can be asked now."""
        return self._line.done() and self._line.exception() is None

    @property
    def problem(self) -> Text | None:
        """Why it cannot be asked; None if it can."""
        return None if self.is_connected else self._state

    async def run(self) -> NoReturn:
        """Stay connected. Raises WrongToken, and never tries that token twice."""
        loop = asyncio.get_running_loop()
        delays = self._backoff.delays()
        try:
            while True:
                since = loop.time()
                try:
                    await self._connect_and_listen()
                except (Away, TooMuch) as fault:
                    self._log_state(fault.text)
                if loop.time() - since > _STEADY_S:
                    delays = self._backoff.delays()
                await asyncio.sleep(next(delays))
        except WrongToken as fault:
            _settle(self._line, fault)
            raise
        finally:
            _settle(self._line, Away(_ENDED))

    async def connected(self) -> None:
        """Wait until there is a connection, however long that takes. Raises WrongToken."""
        await shielded(self._line)

    async def ask(self, command: str, **fields: Json) -> object:
        """Send a command and return its result.

        Raises Away if there is no connection and none comes in time, if it is lost meanwhile, or
        if no answer comes in time; HomeAssistantRefusal, TooMuch or WrongToken.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                line = await shielded(self._line)
        except TimeoutError:
            raise Away(self._state) from None
        return await line.ask(command, fields, self._timeout_s)

    def _log_state(self, news: Text) -> None:
        """Log the state of the connection, once until it changes."""
        if news != self._state:
            _LOGGER.info(news)
            self._state = news

    async def _connect_and_listen(self) -> NoReturn:
        """Open a connection and wait until it is lost: raises Away then, TooMuch or WrongToken."""
        client = HomeAssistantClient(
            self._access.url, self._access.token, self._session, self._max_answer_bytes
        )
        try:
            await self._open(client)
            listening = asyncio.create_task(client.start_listening())
            # Where nobody waits for it any more, its fault would be logged.
            listening.add_done_callback(lambda task: task.cancelled() or task.exception())
            line = _Line(client, listening)
            try:
                self.connections += 1
                self._line.set_result(line)
                self._log_state(_CONNECTED)
                await self._subscribe(line)
                raise await line.ended()
            finally:
                self._line = asyncio.get_running_loop().create_future()
                listening.cancel()
                await asyncio.wait({listening})
        finally:
            # A listener closes what it listens to. If it is cancelled while it does, it does not
            # say that it has ended, and the client would wait for that for ever.
            if client.connected:
                await client.disconnect()

    async def _open(self, client: HomeAssistantClient) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await client.connect()
        except AuthenticationFailed:
            raise WrongToken from None
        except CannotConnect as fault:
            raise Away(_reason(fault.error)) from fault
        except TimeoutError as fault:
            raise Away(_SILENT) from fault
        except (aiohttp.ClientError, OSError, LookupError, TypeError, ValueError) as fault:
            # What the client says where the other side hangs up, or is something else.
            raise Away(_SOMETHING_ELSE) from fault

    async def _subscribe(self, line: _Line) -> None:
        for event_type, handler in self._listeners:
            asked = line.subscribe(event_type, handler)
            try:
                await _answered(line, f"events {event_type}", asked, self._timeout_s)
            except HomeAssistantRefusal as fault:
                # Not all users may hear of everything. Who listens has a clock as well.
                _LOGGER.warning(fault.text)
            handler()


@dataclass(frozen=True, slots=True)
class _Line:
    """A connection that is open, and the task that hears what comes in."""

    client: HomeAssistantClient
    listening: asyncio.Task[None]

    async def ask(self, command: str, fields: Mapping[str, Json], timeout_s: float) -> object:
        # The client says dict of each field, and means that they are one together.
        arguments = cast(Mapping[str, dict[str, object]], fields)
        asked = self.client.send_command(command, **arguments)
        return await _answered(self, command, asked, timeout_s)

    async def subscribe(self, event_type: str, handler: Callable[[], None]) -> None:
        await self.client.subscribe_events(lambda _: handler(), event_type)

    async def ended(self) -> SourceFault:
        """Wait until the connection is lost, and return the reason."""
        await asyncio.wait({self.listening})
        fault = None if self.listening.cancelled() else self.listening.exception()
        if isinstance(fault, ConnectionFailedDueToLargeMessage):
            return TooMuch()
        return Away(_LOST)


async def _answered[T](
    line: _Line, command: str, asked: Coroutine[None, None, T], timeout_s: float
) -> T:
    try:
        async with asyncio.timeout(timeout_s):
            return await asked
    except TimeoutError:
        raise Away(_SLOW, command=command) from None
    except FailedCommand as fault:
        raise HomeAssistantRefusal(_REFUSES, command=command, why=fault) from fault
    except asyncio.CancelledError:
        # The client cancels what is pending when the connection goes: that is not our task's end.
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise await line.ended() from None
    except (BaseHassClientError, aiohttp.ClientError, OSError) as fault:
        raise Away(_LOST) from fault


def _reason(fault: Exception | None) -> Text:
    if isinstance(fault, aiohttp.WSServerHandshakeError):
        return _STATUS.get(fault.status, _ANOTHER_STATUS).fill(status=fault.status)
    return _NO_TLS if isinstance(fault, aiohttp.ClientSSLError) else _UNREACHABLE


def _settle(line: asyncio.Future[_Line], fault: SourceFault) -> None:
    if not line.done():
        line.set_exception(fault)
        line.exception()  # Nobody may be waiting for it.
