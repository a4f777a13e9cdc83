"""Messages between a home and its witness over HTTPS: JSON and MACs. Pure.

    POST …/witness/enrolments    EnrolmentRequest → EnrolmentReceipt
    POST …/witness/departures    SignedRequest → DepartureReceipt
    POST …/witness/openings      SignedRequest → OpeningsSummary

What a home asks after it enrolled carries a MAC under a key derived from its first one, and so does
the receipt of the enrolment: nobody but the home and its witness can make either. Bytes are in
base64url (RFC 4648 §5) without padding, instants in ISO 8601, UTC, to the second. Days and
instants are those of the protocol (`iso8601`). Each answer but that of a departure has the head of
the witness, and each request the newest heads that the home has of it (`heads`).
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
import hmac
import re
from typing import Annotated, Any, Final, NamedTuple, Self, get_origin, get_type_hints
from uuid import UUID

from consometers_node.i18n.text import Text, TranslatedError, around, text
from consometers_node.series import Direction
from consometers_protected_sums import codes
from consometers_protected_sums.heads import HEAD_BYTES, MOST_HEADS
from consometers_protected_sums.keys import KEY_BYTES, DayKey
from consometers_quoalise import iso8601
from consometers_quoalise.elements.decoding import Undecodable, decoded
from consometers_quoalise.federation.permissions import LEAST_MINIMUM

PATH: Final = "/witness"
MAX_BODY_BYTES: Final = 4096
MAX_CLOCK_DIFFERENCE: Final = timedelta(minutes=15)
"""How far the clocks of a home and its witness may differ."""
MAC_BYTES: Final = 32

_MAX_WORD: Final = 3071
"""Of characters: as long as the longest JID."""
_MAX_WHOLE: Final = 2**31 - 1
_HASH: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)

_MALFORMED = text("“{field}” is missing or malformed: {said}")
_NO_OBJECT = text("The body must be a JSON object with the fields of docs/protocol.md.")
_WORDS = text("a text without line breaks.")
_PSEUDONYM = text("a UUID in lower case, with hyphens.")
_WHOLE_NUMBER = text("a whole number from {least} on.")
_HASH_HINT = text("a SHA-256, as 64 hexadecimal digits in lower case.")
_DIRECTIONS = text("a list of directions without repetition: {known}.")
_DAY = text("a date such as 2026-11-29.")
_INSTANT = text("a UTC time to the second, such as 2026-11-29T10:00:00+00:00.")
_CODE = text("four groups of five letters, with hyphens between them.")
_BYTES = text("{bytes} bytes in base64url, without padding.")
_COUNTS = text("an object of whole numbers.")
_HEADS = text("a list of at most {most} heads: each {bytes} bytes in base64url, without padding.")


class Call(StrEnum):
    """A home's request to its witness: the last word of the address."""

    ENROLMENTS = "enrolments"
    DEPARTURES = "departures"
    OPENINGS = "openings"

    @property
    def path(self) -> str:
        """The path below the witness's address."""
        return f"{PATH}/{self}"


class BadBody(TranslatedError, ValueError):
    """A body cannot be read; `text` says which field, and what to send."""


class _Json(NamedTuple):
    """How a field stands in a JSON object. Reading raises `_Bad`."""

    read: Callable[[object], Any]
    write: Callable[[Any], object] = lambda value: value


class _Message:
    """A JSON object: its fields, in the order of the class."""

    __slots__ = ()

    def body(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {name: form.write(getattr(self, name)) for name, form in self._forms().items()}

    @classmethod
    def read(cls, body: object, **others: object) -> Self:
        """Read it, with what the object does not have. Raises BadBody."""
        if not isinstance(body, dict):
            raise BadBody(_NO_OBJECT)
        values = dict(others)
        for name, form in cls._forms().items():
            try:
                values[name] = form.read(body.get(name))
            except _Bad as bad:
                raise BadBody(around(_MALFORMED, bad.hint, field=name)) from None
        make: Callable[..., Self] = cls
        return make(**values)

    @classmethod
    def _forms(cls) -> Mapping[str, _Json]:
        hints = get_type_hints(cls, include_extras=True).items()
        return {name: hint.__metadata__[0] for name, hint in hints if get_origin(hint) is Annotated}


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentRequest(_Message):
    """A home's enrolment: its first key, of a day, and the promised minimum.

    `collective` is a bare JID, `pseudonym` the id of the permission, `minimum` how many homes
    each sum with this home has, `code` the one that the witness gave to the household.
    """

    collective: _Word
    pseudonym: _Pseudonym
    need: _Word
    version: Annotated[int, _Json(_whole(1))]
    need_sha256: Annotated[str, _Json(_hash)]
    minimum: Annotated[int, _Json(_whole(LEAST_MINIMUM))]
    directions: Annotated[frozenset[Direction], _Json(_directions, sorted)]
    day: Annotated[date, _Json(_canonical(iso8601.day, date.isoformat, _DAY), date.isoformat)]
    key: Annotated[bytes, _Json(_bytes(KEY_BYTES), _encoded)] = field(repr=False)
    code: Annotated[str, _Json(_canonical(codes.read, str, _CODE))] = field(repr=False)
    heads: _Heads = ()

    @property
    def day_key(self) -> DayKey:
        """The home's first key."""
        return DayKey(self.day, self.key)

    def mac(self, enrolled_at: datetime) -> bytes:
        """Return the MAC of the receipt: it proves that the witness has the key."""
        return _mac(
            self.day_key.authentication_key(),
            Call.ENROLMENTS,
            self.collective,
            self.pseudonym,
            self.need_sha256,
            written(enrolled_at),
        )


@dataclass(frozen=True, slots=True)
class EnrolmentReceipt(_Message):
    """The receipt of an enrolment."""

    enrolled_at: _Instant
    mac: _Mac
    head: _Head

    def proves(self, enrolment: EnrolmentRequest) -> bool:
        """Return whether the witness that wrote it has the key of this enrolment."""
        return hmac.compare_digest(self.mac, enrolment.mac(self.enrolled_at))


@dataclass(frozen=True, slots=True)
class SignedRequest(_Message):
    """A request of an enrolled home: to leave, or for what was opened."""

    call: Call
    collective: _Word
    pseudonym: _Pseudonym
    at: _Instant
    mac: _Mac
    heads: _Heads = ()

    @classmethod
    def of(
        cls,
        call: Call,
        collective: str,
        pseudonym: str,
        at: datetime,
        authentication_key: bytes,
        *,
        heads: tuple[bytes, ...] = (),
    ) -> Self:
        """Make it; the key is that of `DayKey.authentication_key`, of the first day's."""
        mac = _mac(authentication_key, call, collective, pseudonym, written(at))
        return cls(call, collective, pseudonym, at, mac, heads)

    def is_authentic(self, authentication_key: bytes) -> bool:
        """Return whether the home that enrolled with this key asks."""
        expected = _mac(
            authentication_key, self.call, self.collective, self.pseudonym, written(self.at)
        )
        return hmac.compare_digest(self.mac, expected)


@dataclass(frozen=True, slots=True)
class DepartureReceipt(_Message):
    """The receipt of a departure: no sum with this home is opened from then on."""

    left_at: _Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningsSummary(_Message):
    """A witness's report on a home.

    `opened` is in how many hours of each direction the home is in an opened sum; `least_homes` how
    many homes the smallest of these has; `invalid` how many of its own reports were invalid, of the
    last weeks; `homes` how many homes are enrolled for the collective, None if they are fewer than
    this one was promised. Why another hour stayed closed would say something about the others.
    """

    enrolled_at: _Instant
    left_at: Annotated[datetime | None, _Json(_or_none(_instant), _or_none(written))]
    opened: Annotated[Mapping[Direction, int], _Json(_hours, dict)]
    least_homes: Annotated[int | None, _Json(_or_none(_whole(1)))]
    invalid: Annotated[int, _Json(_whole(0))]
    homes: Annotated[int | None, _Json(_or_none(_whole(1)))]
    head: _Head


def written(at: datetime) -> str:
    """Return an instant as both ends write it, and compute MACs over."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _mac(key: bytes, call: Call, *words: str) -> bytes:
    return hmac.digest(key, "\n".join((call, *words)).encode(), "sha256")


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


class _Bad(Exception):
    """A value is not legal for its field; `hint` says what to write there."""

    def __init__(self, hint: Text) -> None:
        self.hint = hint


_KNOWN = frozenset(direction.value for direction in Direction)


def _word(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_WORD or not value.isprintable():
        raise _Bad(_WORDS)
    return value


def _canonical[T](
    parse: Callable[[str], T], write: Callable[[T], str], hint: Text
) -> Callable[[object], T]:
    """Return a reader of values that are written in one way only."""

    def read(value: object) -> T:
        try:
            if isinstance(value, str) and write(parsed := decoded(parse, value)) == value:
                return parsed
        except Undecodable:
            pass
        raise _Bad(hint)

    return read


def _hash(value: object) -> str:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise _Bad(_HASH_HINT)
    return value


def _whole(least: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        # JSON's true is an int here.
        if type(value) is int and least <= value <= _MAX_WHOLE:
            return value
        raise _Bad(_WHOLE_NUMBER.fill(least=least))

    return read


def _directions(value: object) -> frozenset[Direction]:
    hint = _DIRECTIONS.fill(known=", ".join(sorted(_KNOWN)))
    if not isinstance(value, list) or not 0 < len(value) <= len(_KNOWN):
        raise _Bad(hint)
    words = [word for word in value if isinstance(word, str) and word in _KNOWN]
    if len(set(words)) != len(value):
        raise _Bad(hint)
    return frozenset(map(Direction, words))


def _bytes(count: int) -> Callable[[object], bytes]:
    def decoded(value: str) -> bytes:
        raw = urlsafe_b64decode(value + "=" * (-len(value) % 4))
        if len(raw) != count:
            raise ValueError
        return raw

    return _canonical(decoded, _encoded, _BYTES.fill(bytes=count))


def _hours(value: object) -> Mapping[Direction, int]:
    if not isinstance(value, dict):
        raise _Bad(_COUNTS)
    counts = {_word(name): _whole(0)(count) for name, count in value.items()}
    return {Direction(name): hours for name, hours in counts.items() if name in _KNOWN}


def _heads(value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > MOST_HEADS:
        raise _Bad(_HEADS.fill(most=MOST_HEADS, bytes=HEAD_BYTES))
    return tuple(map(_bytes(HEAD_BYTES), value))


def _or_none[S, T](convert: Callable[[S], T]) -> Callable[[S | None], T | None]:
    return lambda value: None if value is None else convert(value)


_instant = _canonical(iso8601.moment, written, _INSTANT)

_Word = Annotated[str, _Json(_word)]
_Pseudonym = Annotated[str, _Json(_canonical(lambda value: str(UUID(value)), str, _PSEUDONYM))]
_Instant = Annotated[datetime, _Json(_instant, written)]
_Mac = Annotated[bytes, _Json(_bytes(MAC_BYTES), _encoded)]
_Head = Annotated[bytes, _Json(_bytes(HEAD_BYTES), _encoded)]
_Heads = Annotated[tuple[bytes, ...], _Json(_heads, lambda heads: list(map(_encoded, heads)))]
