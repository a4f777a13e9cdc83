"""The users of one Home Assistant, and which of them administer it."""

from collections.abc import Sequence

from consometers_node.household.source import HomeUser

from .home_assistant import HomeAssistant

_GROUP = "system-admin"


class Users:
    """Asks Home Assistant for its users."""

    def __init__(self, home: HomeAssistant) -> None:
        self._home = home

    @property
    def is_connected(self) -> bool:
        return self._home.is_connected

    async def users(self) -> Sequence[HomeUser]:
        answer = await self._home.ask("config/auth/list")
        listed = map(_user, answer if isinstance(answer, list) else ())
        return [user for user in listed if user is not None]


def _user(entry: object) -> HomeUser | None:
    match entry:
        case {"id": str(user_id), **fields}:
            name, groups = fields.get("name"), fields.get("group_ids")
            is_admin = fields.get("is_owner") is True or (
                isinstance(groups, list) and _GROUP in groups
            )
            return HomeUser(
                id=user_id,
                name=name if isinstance(name, str) and name else None,
                is_admin=is_admin and fields.get("is_active") is True,
            )
        case _:
            return None
