"""One group of a frame, to and from bytes: separators, checksum, length, characters.

    group = LF label SEP data SEP checksum CR
    group = LF label HT horodate HT data HT checksum CR     (standard mode only)

Sources: Enedis-NOI-CPT_54E §5.3.6 and p. 14, Enedis-NOI-CPT_02E §1.5.2 and §1.5.3.2.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .catalogue import CATALOGUE, Chars, Label
from .values import Mode, Value, horodate

STX, ETX, EOT, LF, CR = b"\x02", b"\x03", b"\x04", b"\n", b"\r"
SEPARATORS = {Mode.HISTORIQUE: b" ", Mode.STANDARD: b"\t"}
MAX_GROUP = 160
"""Bytes of a group between LF and CR; the longest of the catalogue has 109."""

_HT = 0x09
NOISE = bytes(c for c in range(0x20) if c != _HT) + b"\x7f"
"""Characters of no group: next to one they are a delimiter that was corrupted."""

_LABELS = {
    mode: {name.encode(): (label, label.chars.value) for name, label in labels.items()}
    for mode, labels in CATALOGUE.items()
}
_UNKNOWN = (None, b"")
_DIGITS = Chars.DIGITS.value
_HORODATE_LENGTH = 13
_SEASONS = "HEhe "
_SHORTEST = len("X\t\t ")


class Reason(StrEnum):
    """Why a group was refused."""

    CHECKSUM = "checksum"
    """The checksum is wrong, or is not where it should be: the group was cut or is none."""
    LENGTH = "length"
    CHARACTERS = "characters"
    UNKNOWN_LABEL = "unknown label"
    DUPLICATE = "duplicate"
    """The frame has this label already; the first one counts."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group that passed every check.

    `raw` is the data as it was sent, `value` what it says; `raw_horodate` and `time` likewise
    for the horodate (None where the label has none; `time` also when the clock is degraded).
    """

    label: Label
    raw: str
    value: Value
    raw_horodate: str | None = None
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """What stood where a group should, as text, and why it was refused."""

    raw: str
    reason: Reason


def checksum(content: bytes) -> int:
    """Return the checksum, 0x20 to 0x5F, of the bytes that it covers.

    In historique mode these are the label to the last character of the data; in standard mode the
    separator that follows is covered too.
    """
    return (sum(content) & 0x3F) + 0x20


def encode(name: str, data: str, mode: Mode, horodate: str | None = None) -> bytes:
    """Return the bytes of a group, LF and CR included. Nothing is checked: see `parse`."""
    separator = SEPARATORS[mode]
    fields = [name, data] if horodate is None else [name, horodate, data]
    content = separator.join(field.encode("ascii") for field in fields)
    covered = content + separator if mode is Mode.STANDARD else content
    return LF + content + separator + bytes((checksum(covered),)) + CR


def parse(segment: bytes, mode: Mode | None = None) -> Group | Rejected | None:
    """Read the 7-bit bytes between LF and CR, in the mode given or the one that separators show.

    Control characters at either end are a delimiter that was corrupted: the checksum shows
    whether a group stands between them. None means that there is nothing but such characters.
    """
    content = segment.strip(NOISE)
    if not content:
        return None
    if len(content) > MAX_GROUP:
        return Rejected(_text(content[:MAX_GROUP]), Reason.LENGTH)
    has_tabs = _HT in content
    parsed = _parse(content, mode or (Mode.STANDARD if has_tabs else Mode.HISTORIQUE))
    if isinstance(parsed, Group) or has_tabs or mode is Mode.HISTORIQUE:
        return parsed
    restored = _with_tabs(content)
    return parsed if restored is None else _parse(restored, Mode.STANDARD)


def _parse(content: bytes, mode: Mode) -> Group | Rejected:
    separator = SEPARATORS[mode]
    if len(content) < _SHORTEST or content[-2] != separator[0]:
        return Rejected(_text(content), Reason.CHECKSUM)
    covered = content[:-2]
    if content[-1] != checksum(covered if mode is Mode.HISTORIQUE else content[:-1]):
        return Rejected(_text(content), Reason.CHECKSUM)
    name, _, data = covered.partition(separator)
    label, allowed = _LABELS[mode].get(name, _UNKNOWN)
    if label is None:
        return Rejected(_text(content), Reason.UNKNOWN_LABEL)
    when = time = None
    if label.horodated:
        stamp, separated, data = data.partition(separator)
        if not separated or len(stamp) != _HORODATE_LENGTH:
            return Rejected(_text(content), Reason.LENGTH)
        when = _text(stamp)
        if when[0] not in _SEASONS or stamp[1:].translate(None, _DIGITS):
            return Rejected(_text(content), Reason.CHARACTERS)
        time = horodate(when)
    if len(data) != label.length:
        return Rejected(_text(content), Reason.LENGTH)
    if data.translate(None, allowed):
        return Rejected(_text(content), Reason.CHARACTERS)
    raw = _text(data)
    return Group(label, raw, label.parse(raw) if raw else time, when, time)


def _with_tabs(content: bytes) -> bytes | None:
    """Put the tabs back into a standard group whose tabs became spaces (copy and paste).

    Gives None unless the result is a group with a right checksum: a corrupted group of a live
    stream never passes here, for noise does not turn each of its tabs into a space.
    """
    name, _, rest = content.partition(b" ")
    label, _ = _LABELS[Mode.STANDARD].get(name, _UNKNOWN)
    if label is None or rest[-2:-1] != b" ":
        return None
    fields = [name, rest[:-2]]
    if label.horodated:
        fields = [name, rest[:_HORODATE_LENGTH], rest[_HORODATE_LENGTH + 1 : -2]]
    restored = b"\t".join([*fields, rest[-1:]])
    same_length = len(restored) == len(content)
    return restored if same_length and checksum(restored[:-1]) == restored[-1] else None


def _text(content: bytes) -> str:
    return content.decode("ascii")
