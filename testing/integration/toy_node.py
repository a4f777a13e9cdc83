"""A toy node: answers over real HTTP what a test wants it to, as docs/node-api.md has it."""

import asyncio
from contextlib import suppress
import json
import re
from typing import Any, Self

from aiohttp import web

from testing.checkout import ROOT

TOKEN = "token-of-the-toy"

(_BLOCK,) = re.findall(
    r"^## GET /api/v1/node\n```json\n(.*?)^```",
    (ROOT / "docs/node-api.md").read_text(),
    re.MULTILINE | re.DOTALL,
)
DOCUMENTED: dict[str, Any] = json.loads(_BLOCK)
"""The answer that the documentation shows."""
NODE_ID = DOCUMENTED["id"]
(_COLLECTIVE,) = DOCUMENTED["collectives"]
(_PERMISSION,) = _COLLECTIVE["permissions"]
(_PLANT,) = _COLLECTIVE["plants"]
_OF_LATER_VERSIONS = ("sums", "challenge", "plants", "letters")


def permission(**changes: Any) -> dict[str, Any]:
    return {**_PERMISSION, "valid_until": None, "protected": None, **changes}


def protected(**changes: Any) -> dict[str, Any]:
    """Return a node's answer about a permission by which records leave masked."""
    return {
        **_PERMISSION["protected"],
        "opened_hours": {"consumption": 700, "injection": 20},
        **changes,
    }


def collective(collective_id: str = "1", **changes: Any) -> dict[str, Any]:
    """Return a node's answer about a collective, of a version before sums."""
    return {
        **{key: value for key, value in _COLLECTIVE.items() if key not in _OF_LATER_VERSIONS},
        "id": collective_id,
        "jid": f"collective-{collective_id}@example.org",
        "name": f"Coopérative {collective_id}",
        "waiting_since": None,
        "problem": None,
        "permissions": [permission()],
        **changes,
    }


def letter(letter_id: str = "1", **text: str) -> dict[str, Any]:
    """Return a node's answer about an unread message of a collective."""
    (documented,) = _COLLECTIVE["letters"]
    return {**documented, "id": letter_id, "text": text}


def challenge(**changes: Any) -> dict[str, Any]:
    """Return a node's answer about the challenge of the home's commune."""
    return {**_COLLECTIVE["challenge"], **changes}


def sums(**changes: Any) -> dict[str, Any]:
    """Return a node's answer about the sums of its first collective, which states no prices."""
    statistics = {
        each: f"consometers:collective_1_{each}"
        for each in ("consumption", "injection", "production")
    }
    return {**_COLLECTIVE["sums"], "statistics": statistics, "prices": None, **changes}


def plant(plant_id: str = "kersabiec_ecole", **changes: Any) -> dict[str, Any]:
    """Return a node's answer about a plant in which the home holds shares."""
    return {
        **_PLANT,
        "id": plant_id,
        "statistic": f"consometers:part_{plant_id}",
        "last": {**_PLANT["last"], "end": "2026-11-24T17:30:00+00:00"},
        "month": {**_PLANT["month"], "coverage": 1.3842},
        **changes,
    }


def part(name: str, **changes: Any) -> dict[str, Any]:
    """Return the sums with something else in one of their parts."""
    return sums(**{name: {**sums()[name], **changes}})


def today(**values: object) -> dict[str, Any]:
    """Return the sums with other values of some figures of the day."""
    figures = sums()["today"]["figures"]
    changed = {key: {**figures[key], "value": value} for key, value in values.items()}
    return part("today", figures={**figures, **changed})


class ToyNode:
    """A node that can be stopped and started again at the same address."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] = {
            **DOCUMENTED,
            "collectives": [collective()],
        }
        self.token = TOKEN
        self.status = 200
        self.body: str | None = None
        """Sent instead of the answer."""
        self.asked: list[str] = []
        self.listeners: set[asyncio.Queue[bytes]] = set()
        self.has_events = True
        self._port = 0
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def port(self) -> int:
        return self._port

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/api/v1/node", self._node)
        app.router.add_get("/api/v1/events", self._events)
        app.router.add_post("/api/v1/collectives/{id}/{what}", self._pause)
        self._runner = web.AppRunner(app, shutdown_timeout=0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        for listener in self.listeners:
            listener.put_nowait(b"")
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def say(self, text: bytes = b"event: changed\ndata:\n\n") -> None:
        """Send an event to all that listen: that something changed, or another."""
        for listener in self.listeners:
            listener.put_nowait(text)

    def change(self, **changes: Any) -> None:
        """Change the answer, and say so."""
        self.answer.update(changes)
        self.say()

    def spoil(self, wrong: dict[str, Any]) -> dict[str, Any]:
        """Change how the node answers, and return what undoes it."""
        right = {name: getattr(self, name) for name in wrong}
        for name, value in wrong.items():
            setattr(self, name, value)
        return right

    def times_asked(self, what: str = "node") -> int:
        return self.asked.count(what)

    def _refusal(self, request: web.Request) -> web.Response | None:
        status = self.status
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            status = 401
        if status == 200:
            return None
        headers = {"Location": "/api/v1/node"} if status == 302 else {}
        error = {"condition": "no", "message": {"en": "No.", "fr": "Non."}}
        return web.json_response({"error": error}, status=status, headers=headers)

    async def _node(self, request: web.Request) -> web.Response:
        self.asked.append("node")
        if (refusal := self._refusal(request)) is not None:
            return refusal
        if self.body is not None:
            return web.Response(text=self.body)
        return web.json_response(self.answer)

    async def _pause(self, request: web.Request) -> web.Response:
        collective_id, what = request.match_info["id"], request.match_info["what"]
        self.asked.append(f"{what} {collective_id}")
        if (refusal := self._refusal(request)) is not None:
            return refusal
        for each in self.answer["collectives"]:
            if each["id"] == collective_id:
                for granted in each["permissions"]:
                    granted["paused"] = what == "pause"
                return web.json_response(each)
        return web.json_response({}, status=404)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        self.asked.append("events")
        if (refusal := self._refusal(request)) is not None:
            return refusal
        if not self.has_events:
            return web.json_response({})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": listening\n\n")
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self.listeners.add(queue)
        try:
            while text := await queue.get():
                with suppress(ConnectionError):
                    await response.write(text)
        finally:
            self.listeners.discard(queue)
        return response
