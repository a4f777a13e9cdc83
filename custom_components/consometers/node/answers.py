"""What a node answers, as docs/node-api.md has it. Pure: JSON in, frozen values out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

import probatio as vol

VERSION: Final = 1
"""The version of the API that is understood."""

GRANTED: Final = "granted"

type Words = Mapping[str, str]
"""The same words by the code of their language, in those that there are."""


class NotAnAnswer(ValueError):
    """This is nothing that a node would say."""


class VersionTooNew(ValueError):
    """A node said this, in a version that is not known yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What the household answered to one data need."""

    id: str
    title: Words
    state: str
    paused: bool
    series: int
    valid_until: datetime | None
    newer_version: str | None
    """Of a granted permission, the id of the proposed one for a newer version of its need."""

    @property
    def granted(self) -> bool:
        """Whether something may leave by it, now or once it is no longer paused."""
        return self.state == GRANTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Collective:
    """Somebody who asks for series of the household, and what goes there."""

    id: str
    jid: str
    name: str
    acknowledged_until: datetime | None
    waiting: int
    waiting_since: datetime | None
    problem: Words | None
    permissions: tuple[Permission, ...]

    @property
    def granted(self) -> tuple[Permission, ...]:
        """The permissions by which something may leave."""
        return tuple(permission for permission in self.permissions if permission.granted)

    @property
    def paused(self) -> bool:
        """Whether all that was granted is held back."""
        return bool(self.granted) and all(permission.paused for permission in self.granted)


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeAssistant:
    """Whether the node reads its Home Assistant."""

    connected: bool
    problem: Words | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """The household's node."""

    version: str
    id: str
    account: str | None
    online: bool
    problem: Words | None
    home_assistant: HomeAssistant
    collectives: tuple[Collective, ...]

    def collective(self, collective_id: str) -> Collective | None:
        """Find one of those who ask."""
        return next((each for each in self.collectives if each.id == collective_id), None)


def node(answer: object) -> Node:
    """Understand the answer to GET /api/v1/node. Raises NotAnAnswer or VersionTooNew."""
    version = answer.get("api") if isinstance(answer, dict) else None
    if not isinstance(version, int):
        raise NotAnAnswer("no version of the API")
    if version > VERSION:
        raise VersionTooNew(f"version {version} of the API")
    return cast(Node, _read(_NODE, answer))


def words_in(language: str, words: Words) -> str:
    """Give words in a language, else in English, else in whatever there is."""
    return next((words[each] for each in (language, "en", *words) if each in words), "")


def _read(schema: vol.All[Any], answer: object) -> object:
    try:
        return schema(answer)
    except vol.Invalid as error:
        raise NotAnAnswer("not as the API has it") from error


def _moment(text: object) -> datetime:
    moment = datetime.fromisoformat(vol.Schema(str)(text))
    if moment.tzinfo is None:
        raise vol.Invalid("a time without its zone")
    return moment


def _each(schema: vol.All[Any]) -> vol.All[Any]:
    return vol.All([schema], vol.Coerce(tuple))


def _of[T](make: Callable[..., T], fields: Mapping[str, Any]) -> vol.All[Any]:
    """Read an object, whatever may have been added to it."""
    required = {vol.Required(name): kind for name, kind in fields.items()}
    return vol.All(vol.Schema(required, extra=vol.REMOVE_EXTRA), lambda read: make(**read))


_COUNT = vol.All(int, vol.Range(min=0))
_WORDS = vol.Schema({str: str})
_PERHAPS_WORDS = vol.Any(None, _WORDS)
_PERHAPS_MOMENT = vol.Any(None, _moment)
_PERHAPS_TEXT = vol.Any(None, str)

_PERMISSION = _of(
    Permission,
    {
        "id": str,
        "title": _WORDS,
        "state": str,
        "paused": bool,
        "series": _COUNT,
        "valid_until": _PERHAPS_MOMENT,
        "newer_version": _PERHAPS_TEXT,
    },
)
_COLLECTIVE = _of(
    Collective,
    {
        "id": str,
        "jid": str,
        "name": str,
        "acknowledged_until": _PERHAPS_MOMENT,
        "waiting": _COUNT,
        "waiting_since": _PERHAPS_MOMENT,
        "problem": _PERHAPS_WORDS,
        "permissions": _each(_PERMISSION),
    },
)
_NODE = _of(
    Node,
    {
        "version": str,
        "id": vol.All(str, vol.Length(min=1)),
        "account": _PERHAPS_TEXT,
        "online": bool,
        "problem": _PERHAPS_WORDS,
        "home_assistant": _of(HomeAssistant, {"connected": bool, "problem": _PERHAPS_WORDS}),
        "collectives": _each(_COLLECTIVE),
    },
)
