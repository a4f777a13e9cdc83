"""A Home Assistant of a few lines: it answers what a test gave it, and fails as the test says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import ClientSession, WSMsgType, web
from aiohttp.test_utils import TestServer

from consometers_node.household.recorder.home_assistant import HomeAssistant, HomeAssistantAccess
from consometers_quoalise_network.backoff import Backoff

TOKEN = "a-token-that-nobody-may-see"
GREETING = '{"type": "auth_required", "ha_version": "2026.11.0"}'


@dataclass
class ToyHomeAssistant:
    """What it knows, what it was asked, and how it misbehaves."""

    hours: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    five_minutes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    token: str = TOKEN
    logins: int = 0
    status: int = 101
    """Anything else is answered instead of a websocket."""
    hangs_up_at: set[int] = field(default_factory=set)
    """Numbers of commands at which it hangs up, counted over all connections."""
    silent: bool = False
    deaf: bool = False
    """Whether it refuses subscriptions to events."""
    greeting: str | None = GREETING
    """None keeps it waiting; another one comes from something else."""
    sockets: set[web.WebSocketResponse] = field(default_factory=set)
    subscriptions: list[tuple[web.WebSocketResponse, dict[str, Any]]] = field(default_factory=list)
    url: str = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if self.status != 101:
            return web.Response(status=self.status)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.logins += 1
        if self.greeting is None:
            await socket.receive()
            return socket
        if self.greeting != GREETING:
            await socket.send_str(self.greeting)
            return socket
        await socket.send_str(GREETING)
        if (await socket.receive_json())["access_token"] != self.token:
            await socket.send_json({"type": "auth_invalid", "message": "Invalid access token"})
            return socket
        await socket.send_json({"type": "auth_ok", "ha_version": "2026.11.0"})
        self.sockets.add(socket)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._answer(socket, message.json())
        finally:
            self.sockets.discard(socket)
        return socket

    async def hang_up(self) -> None:
        for socket in list(self.sockets):
            await socket.close()

    async def fire(self, event_type: str) -> None:
        for socket, message in self.subscriptions:
            if not socket.closed and message["event_type"] == event_type:
                event = {"event_type": event_type, "data": {}}
                await socket.send_json({"id": message["id"], "type": "event", "event": event})

    async def _answer(self, socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        self.asked.append(message)
        if len(self.asked) in self.hangs_up_at:
            await socket.close()
            return
        if self.silent:
            return
        kind = message["type"]
        if kind == "subscribe_events" and not self.deaf:
            self.subscriptions.append((socket, message))
            answer: dict[str, Any] = {"success": True, "result": None}
        elif kind in self.answers:
            answer = {"success": True, "result": self.answers[kind]}
        elif kind == "recorder/statistics_during_period":
            answer = {"success": True, "result": self._rows(message)}
        else:
            answer = {"success": False, "error": {"code": "not_found", "message": "No prefs"}}
        with suppress(ConnectionError):
            await socket.send_json({"id": message["id"], "type": "result", **answer})

    def _rows(self, message: dict[str, Any]) -> dict[str, Any]:
        held = self.hours if message["period"] == "hour" else self.five_minutes
        start, end = (ms(datetime.fromisoformat(message[f"{at}_time"])) for at in ("start", "end"))
        within = {
            name: [row for row in held.get(name, []) if start <= row["start"] < end]
            for name in message["statistic_ids"]
        }
        return {name: rows for name, rows in within.items() if rows}


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@asynccontextmanager
async def serving(toy: ToyHomeAssistant) -> AsyncIterator[ToyHomeAssistant]:
    app = web.Application()
    app.router.add_get("/api/websocket", toy.serve)
    async with TestServer(app) as server:
        toy.url = str(server.make_url("/"))
        yield toy


@asynccontextmanager
async def connected(url: str, token: str, **settings: Any) -> AsyncIterator[HomeAssistant]:
    """Keep a connection to a Home Assistant."""
    async with ClientSession() as session:
        home = HomeAssistant(HomeAssistantAccess.at(url, token), session, **settings)
        task = asyncio.create_task(home.run())
        try:
            yield home
        finally:
            task.cancel()
            await asyncio.wait({task})


def connection(
    toy: ToyHomeAssistant, *, token: str = TOKEN, **settings: Any
) -> AbstractAsyncContextManager[HomeAssistant]:
    """Keep a connection, with no patience between its attempts."""
    return connected(toy.url, token, **{"backoff": Backoff(0.01, 0.01, least=1), **settings})


def asked(toy: ToyHomeAssistant, period: str = "hour") -> list[tuple[str, str, int]]:
    """From when, until when, and for how many statistics rows were asked."""
    return [
        (message["start_time"][:16], message["end_time"][:16], len(message["statistic_ids"]))
        for message in toy.asked
        if message.get("period") == period
    ]
