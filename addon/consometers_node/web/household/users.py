"""The user of a request, from ingress, and whether Home Assistant has an administrator there."""

import time
from typing import Protocol

from aiohttp import web

from consometers_node.household.errors import SourceFault
from consometers_node.household.source import HomeUsers
from consometers_node.web.core.request_context import Person

_ID = "X-Remote-User-Id"
_NAME = "X-Remote-User-Display-Name"
_KEPT_S = 60.0


class PageUsers(Protocol):
    """Who sends requests of pages."""

    async def of_request(self, request: web.Request) -> Person:
        """Return who sent a request."""

    def name(self, user_id: str) -> str:
        """Return a person's name; an unknown one keeps their id."""


class People:
    """The users of one home, read once a minute at most."""

    def __init__(self, home: HomeUsers | None) -> None:
        self._home = home
        self._admins: frozenset[str] = frozenset()
        self._names: dict[str, str] = {}
        self._asked_at: float | None = None

    async def of_request(self, request: web.Request) -> Person:
        """Return who sent a request. While they are unknown nobody is an administrator."""
        user_id = request.headers.get(_ID, "")
        name = request.headers.get(_NAME, "")
        return Person(user_id, name, bool(user_id) and user_id in await self._administrators())

    def name(self, user_id: str) -> str:
        """Return a person's name; an unknown one keeps their id."""
        return self._names.get(user_id, user_id)

    async def _administrators(self) -> frozenset[str]:
        now = time.monotonic()
        if self._asked_at is None or now - self._asked_at > _KEPT_S:
            if self._home is None or not self._home.is_connected:
                return frozenset()
            try:
                users = await self._home.users()
            except SourceFault:
                return frozenset()
            self._admins = frozenset(user.id for user in users if user.is_admin)
            self._names = {user.id: user.name for user in users if user.name is not None}
            self._asked_at = now
        return self._admins
