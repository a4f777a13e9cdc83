"""The user of a request, from ingress, and whether Home Assistant has an administrator there."""

import time

from aiohttp import web

from consometers_node.household.recorder.errors import HomeAssistantFault
from consometers_node.household.recorder.home_assistant import HomeAssistant
from consometers_node.web.core.request_context import Person

_ID = "X-Remote-User-Id"
_NAME = "X-Remote-User-Display-Name"
_KEPT_S = 60.0
_GROUP = "system-admin"


class People:
    """The users of one Home Assistant, read once a minute at most."""

    def __init__(self, home: HomeAssistant) -> None:
        self._home = home
        self._admins: frozenset[str] = frozenset()
        self._names: dict[str, str] = {}
        self._asked_at: float | None = None

    async def of_request(self, request: web.Request) -> Person:
        """Return who sent a request. While Home Assistant is away nobody is an administrator."""
        user_id = request.headers.get(_ID, "")
        name = request.headers.get(_NAME, "")
        return Person(user_id, name, bool(user_id) and user_id in await self._administrators())

    def name(self, user_id: str) -> str:
        """Return a person's name; an unknown one keeps their id."""
        return self._names.get(user_id, user_id)

    async def _administrators(self) -> frozenset[str]:
        now = time.monotonic()
        if self._asked_at is None or now - self._asked_at > _KEPT_S:
            if not self._home.is_connected:
                return frozenset()
            try:
                users = await self._home.ask("config/auth/list")
            except HomeAssistantFault:
                return frozenset()
            self._admins, self._names = _administrators(users), _names(users)
            self._asked_at = now
        return self._admins


def _administrators(users: object) -> frozenset[str]:
    administrators = set()
    for user in users if isinstance(users, list) else ():
        match user:
            case {"id": str(user_id), "is_active": True, "is_owner": True}:
                administrators.add(user_id)
            case {"id": str(user_id), "is_active": True, "group_ids": list(groups)} if (
                _GROUP in groups
            ):
                administrators.add(user_id)
    return frozenset(administrators)


def _names(users: object) -> dict[str, str]:
    names = {}
    for user in users if isinstance(users, list) else ():
        match user:
            case {"id": str(user_id), "name": str(name)} if name:
                names[user_id] = name
    return names
