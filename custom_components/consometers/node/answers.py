"""A node's answers, as in docs/node-api.md. Pure: JSON in, frozen values out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
import math
from typing import Any, Final, Self, cast

import probatio as vol

from .challenge import CHALLENGE, Challenge

VERSION: Final = 1
"""The supported version of the API."""

GRANTED: Final = "granted"

MOST_WH: Final = 10**15
"""Nobody draws or makes more: it is what all of France does in two years."""
_MOST_CENTS: Final = 1_000

type Words = Mapping[str, str]
"""An answer is not valid."""


class NotAnAnswer(ValueError):
    """An answer is of a version that is not supported yet."""


class VersionTooNew(ValueError):
    """A node said this, in a version that is not known yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedSums:
    """A witness's report on a permission: in how many hours the home is in an opened sum.

    `least_homes` is how many homes the smallest of these has. None until the witness has answered.
    """

    opened_hours: Mapping[str, int] | None
    least_homes: int | None
    refused_hours: int | None
    homes: int | None
    """How many homes are enrolled for the collective."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """The household's answer to one data need."""

    id: str
    title: Words
    state: str
    paused: bool
    series: int
    valid_until: datetime | None
    newer_version: str | None
    """Of a granted permission, the id of the proposed one for a newer version of its need."""
    protected: ProtectedSums | None = None
    """None unless records leave masked. Older nodes omit it."""

    @property
    def granted(self) -> bool:
        """Whether something may leave by it, now or once it is resumed."""
        return self.state == GRANTED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Interval:
    """An interval with known energies."""

    start: datetime
    end: datetime

    def mean_w(self, energy_wh: int | None) -> int | None:
        """Return the mean power of one of its energies."""
        if energy_wh is None:
            return None
        return round(energy_wh * timedelta(hours=1) / (self.end - self.start))

    @classmethod
    def read(cls, **fields: Any) -> Self:
        """Make one that lasts."""
        if not fields["start"] < fields["end"]:
            raise vol.Invalid("an interval that ends before it begins")
        return cls(**fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Last(_Interval):
    """The energies of a collective's homes together in the last known interval, Wh."""

    consumption: int | None
    injection: int | None
    production: int | None
    members: int | None
    """How many homes are in the consumption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """Their energies in the collective's day so far, Wh, and the shares of production."""

    date: date
    until: datetime | None
    consumption: int | None
    injection: int | None
    production: int | None
    self_consumption_rate: float | None
    self_sufficiency_rate: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """This home's consumption in the last complete month, and the collective's homes', Wh.

    The median and the quartiles are of a home.
    """

    month: str
    mine: int | None
    median: int | None
    lower: int | None
    upper: int | None

    @property
    def difference(self) -> float | None:
        """What this home drew beyond the median, as a part of it."""
        if self.mine is None or not self.median:
            return None
        return self.mine / self.median - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Under which ids Home Assistant's recorder keeps a collective's sums."""

    consumption: str | None
    injection: str | None
    production: str | None
    consumption_per_home: str | None = None
    """None of nodes before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """A collective's prices of a kWh, in euro cents: from a member, from the grid."""

    local: float
    grid: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """The sums of all members that a collective sends them."""

    last: Last | None
    today: Today | None
    month: Month | None
    statistics: Statistics | None
    problem: Words | None
    """Why some of it is missing."""
    prices: Prices | None = None
    """None where it states none, and of older nodes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLast(_Interval):
    """The production of this home's part of a plant in the last known interval, Wh."""

    production: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartToday:
    """Its production in the collective's day so far, Wh."""

    date: date
    until: datetime | None
    production: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartMonth:
    """Its production in the last complete month, beside the home's consumption, Wh.

    `coverage` is the one as a part of the other, and may be above 1.
    """

    month: str
    production: int | None
    consumption: int | None
    coverage: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """Panels of which this home holds shares, with its part of the production."""

    id: str
    name: str
    shares: int
    total_shares: int
    corrected: bool
    """Whether the number of shares is the home's own, and not the collective's."""
    statistic: str
    last: PartLast | None
    today: PartToday | None
    month: PartMonth | None
    problem: Words | None
    """Why some of it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collective:
    """A peer that requests series of the household, and its permissions."""

    id: str
    jid: str
    name: str
    acknowledged_until: datetime | None
    waiting: int
    waiting_since: datetime | None
    problem: Words | None
    by_name: bool
    """Whether it may show what it reads under the household's name, as of a public building."""
    permissions: tuple[Permission, ...]
    sums: Sums | None
    """None unless the node reads them. Older nodes omit it."""
    plants: tuple[Plant, ...] | None = None
    """None of nodes before them."""
    challenge: Challenge | None = None

    @property
    def granted(self) -> tuple[Permission, ...]:
        """The permissions under which something may leave."""
        return tuple(permission for permission in self.permissions if permission.granted)

    @property
    def protected(self) -> ProtectedSums | None:
        """The witness's report on the one masked permission, if there is one."""
        sums = (permission.protected for permission in self.granted)
        return next((each for each in sums if each and each.opened_hours is not None), None)

    @property
    def paused(self) -> bool:
        """Whether all grants are paused."""
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
    clock: Words | None
    """Why the node takes its clock for wrong."""
    home_assistant: HomeAssistant
    collectives: tuple[Collective, ...]

    def collective(self, collective_id: str) -> Collective | None:
        """Find a peer."""
        return next((each for each in self.collectives if each.id == collective_id), None)

    @property
    def plants(self) -> Mapping[str, Plant]:
        """The plants of all collectives, each by a name that no other one has here."""
        return {
            plant_key(collective.id, plant.id): plant
            for collective in self.collectives
            for plant in collective.plants or ()
        }


def plant_key(collective_id: str, plant_id: str) -> str:
    """Name a plant of a collective. No collective is named so."""
    return f"{collective_id}:{plant_id}"


def node(answer: object) -> Node:
    """Parse the answer to GET /api/v1/node. Raises NotAnAnswer or VersionTooNew."""
    version = answer.get("api") if isinstance(answer, dict) else None
    if not isinstance(version, int):
        raise NotAnAnswer("no version of the API")
    if version > VERSION:
        raise VersionTooNew(f"version {version} of the API")
    return cast(Node, _read(_NODE, answer))


def words_in(language: str, words: Words) -> str:
    """Return words in a language, else in English, else in any."""
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


def _day(text: object) -> date:
    return date.fromisoformat(vol.Schema(str)(text))


def _rate(value: object) -> float:
    """Parse a share, from 0 to 1; JSON in Python has numbers that are none."""
    rate = vol.Schema(vol.Any(float, int))(value)
    if not (math.isfinite(rate) and 0 <= rate <= 1):
        raise vol.Invalid("no part of one")
    return float(rate)


def _ratio(value: object) -> float:
    """Parse a share of something, or a multiple of it."""
    ratio = vol.Schema(vol.Any(float, int))(value)
    if not (math.isfinite(ratio) and 0 <= ratio <= MOST_WH):
        raise vol.Invalid("no part of anything")
    return float(ratio)


def _cents(value: object) -> float:
    """Parse a price."""
    cents = vol.Schema(vol.Any(float, int))(value)
    if not (math.isfinite(cents) and 0 <= cents <= _MOST_CENTS):
        raise vol.Invalid("no price of a kWh")
    return float(cents)


def _object[T](
    make: Callable[..., T], fields: Mapping[str, Any], later: Mapping[str, Any] | None = None
) -> vol.All[Any]:
    """Parse an object, whatever fields later versions add; newer fields may be missing."""
    schema = {vol.Required(name): kind for name, kind in fields.items()} | {
        vol.Optional(name, default=None): kind for name, kind in (later or {}).items()
    }
    return vol.All(vol.Schema(schema, extra=vol.REMOVE_EXTRA), lambda read: make(**read))


_COUNT = vol.All(int, vol.Range(min=0))
_PERHAPS_COUNT = vol.Any(None, _COUNT)
_PERHAPS_WH = vol.Any(None, vol.All(int, vol.Range(min=0, max=MOST_WH)))
_PERHAPS_RATE = vol.Any(None, _rate)
_PERHAPS_STATISTIC = vol.Any(None, vol.All(str, vol.Match(r"consometers:[a-z0-9_]{1,200}\Z")))
_WORDS = vol.Schema({str: str})
_PERHAPS_WORDS = vol.Any(None, _WORDS)
_PERHAPS_MOMENT = vol.Any(None, _moment)
_PERHAPS_TEXT = vol.Any(None, str)

_PROTECTED = _object(
    ProtectedSums,
    {
        "opened_hours": vol.Any(None, vol.Schema({str: _COUNT})),
        **dict.fromkeys(("least_homes", "refused_hours", "homes"), _PERHAPS_COUNT),
    },
)
_PERMISSION = _object(
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
    later={"protected": vol.Any(None, _PROTECTED)},
)
_ENERGIES = dict.fromkeys(("consumption", "injection", "production"), _PERHAPS_WH)
_LAST = _object(
    Last.read, {"start": _moment, "end": _moment, **_ENERGIES, "members": _PERHAPS_COUNT}
)
_TODAY = _object(
    Today,
    {
        "date": _day,
        "until": _PERHAPS_MOMENT,
        **_ENERGIES,
        "self_consumption_rate": _PERHAPS_RATE,
        "self_sufficiency_rate": _PERHAPS_RATE,
    },
)
_MONTH = _object(
    Month,
    {
        "month": vol.All(str, vol.Match(r"\d{4}-\d{2}\Z")),
        **dict.fromkeys(("mine", "median", "lower", "upper"), _PERHAPS_WH),
    },
)
_STATISTICS = _object(
    Statistics,
    dict.fromkeys(_ENERGIES, _PERHAPS_STATISTIC),
    later={"consumption_per_home": _PERHAPS_STATISTIC},
)
_PRICES = _object(Prices, {"local": _cents, "grid": _cents})
_SUMS = _object(
    Sums,
    {
        "last": vol.Any(None, _LAST),
        "today": vol.Any(None, _TODAY),
        "month": vol.Any(None, _MONTH),
        "statistics": vol.Any(None, _STATISTICS),
        "problem": _PERHAPS_WORDS,
    },
    later={"prices": vol.Any(None, _PRICES)},
)
_PART_LAST = _object(PartLast.read, {"start": _moment, "end": _moment, "production": _PERHAPS_WH})
_PART_TODAY = _object(
    PartToday, {"date": _day, "until": _PERHAPS_MOMENT, "production": _PERHAPS_WH}
)
_PART_MONTH = _object(
    PartMonth,
    {
        "month": vol.All(str, vol.Match(r"\d{4}-\d{2}\Z")),
        "production": _PERHAPS_WH,
        "consumption": _PERHAPS_WH,
        "coverage": vol.Any(None, _ratio),
    },
)
_PLANT = _object(
    Plant,
    {
        "id": vol.All(str, vol.Match(r"[a-z0-9_]{1,200}\Z")),
        "name": str,
        "shares": _COUNT,
        "total_shares": vol.All(int, vol.Range(min=1)),
        "corrected": bool,
        "statistic": vol.All(str, vol.Match(r"consometers:[a-z0-9_]{1,200}\Z")),
        "last": vol.Any(None, _PART_LAST),
        "today": vol.Any(None, _PART_TODAY),
        "month": vol.Any(None, _PART_MONTH),
        "problem": _PERHAPS_WORDS,
    },
)
_COLLECTIVE = _object(
    Collective,
    {
        "id": str,
        "jid": str,
        "name": str,
        "acknowledged_until": _PERHAPS_MOMENT,
        "waiting": _COUNT,
        "waiting_since": _PERHAPS_MOMENT,
        "problem": _PERHAPS_WORDS,
        "by_name": bool,
        "permissions": _each(_PERMISSION),
    },
    later={
        "sums": vol.Any(None, _SUMS),
        "plants": vol.Any(None, _each(_PLANT)),
        "challenge": vol.Any(None, CHALLENGE),
    },
)
_NODE = _object(
    Node,
    {
        "version": str,
        "id": vol.All(str, vol.Length(min=1)),
        "account": _PERHAPS_TEXT,
        "online": bool,
        "problem": _PERHAPS_WORDS,
        "clock": _PERHAPS_WORDS,
        "home_assistant": _object(HomeAssistant, {"connected": bool, "problem": _PERHAPS_WORDS}),
        "collectives": _each(_COLLECTIVE),
    },
)
