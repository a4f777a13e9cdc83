"""From a stream of bytes to frames, group by group.

    frame = STX group+ ETX, or STX group* EOT when the meter interrupts itself

Sources: Enedis-NOI-CPT_54E §5.3.6, Enedis-NOI-CPT_02E §1.5.2. A group that fails a check is refused
and the rest of its frame kept (02E §1.5.3).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
import re

from .group import ETX, MAX_GROUP, STX, Group, Reason, Rejected, encode, parse
from .values import Mode

MAX_SEGMENTS = 200
"""Groups after which a frame without an end is cut; the longest frame has about 80."""
MAX_REJECTED = 64
"""Refused groups that a frame keeps; more are counted, not kept."""

_DELIMITERS = re.compile(rb"([\x02-\x04\n\r])")
_SEVEN_BITS = bytes(c & 0x7F for c in range(256))
_LINE_ENDS = (b"\n", b"\r")
_MEMO_SIZE = 1024
_KEPT_TAIL = 2 * MAX_GROUP


@dataclass(frozen=True, slots=True)
class Frame:
    """The groups of one frame, by label, in the order in which they came.

    A frame is `complete` from its STX to its ETX, whether or not a group in it was refused.
    One that is not was cut: by the meter (EOT), by noise, or by the start of the listening.
    """

    mode: Mode
    complete: bool
    groups: Mapping[str, Group]
    rejected: tuple[Rejected, ...] = ()

    @property
    def correct(self) -> bool:
        """Whether the meter's lamp would call it correct: whole, and no group refused."""
        return self.complete and not self.rejected


@dataclass(slots=True)
class Counters:
    """What went by since the decoder was made.

    `frames` counts those with at least one good group, whole or cut; `resyncs` how often the
    start of a frame was found again after one had no end or after something that is no frame.
    """

    bytes: int = 0
    frames: int = 0
    groups: int = 0
    resyncs: int = 0
    rejected: dict[Reason, int] = field(default_factory=lambda: dict.fromkeys(Reason, 0))


class Decoder:
    """Finds frames in bytes as they come. The result does not depend on how they are cut.

    `mode` tells the meter's mode; without it each group's separators do. Bytes may carry their
    parity bit. Nothing that is fed raises, and memory stays bounded whatever is fed.
    """

    def __init__(self, mode: Mode | None = None) -> None:
        """Start with nothing heard."""
        self.counters = Counters()
        self._mode = mode
        self._tail = b""
        self._groups: dict[str, Group] = {}
        self._rejected: list[Rejected] = []
        self._segments = 0
        self._in_frame = False
        self._synchronised = False
        self._stray = False
        # From frame to frame most groups are the same, byte for byte.
        self._memo: dict[bytes, Group | Rejected | None] = {}

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes and give the frames that they end."""
        self.counters.bytes += len(data)
        if not data.isascii():
            data = data.translate(_SEVEN_BITS)
        parts = _DELIMITERS.split(self._tail + data if self._tail else data)
        # What counts of an endless segment is that it is too long.
        self._tail = parts.pop()[:_KEPT_TAIL]
        frames: list[Frame] = []
        refused = False
        for i in range(0, len(parts), 2):
            segment, delimiter = parts[i], parts[i + 1]
            if segment:
                refused = not self._take(segment, frames)
            elif delimiter in _LINE_ENDS:
                continue
            else:
                refused = False
            if delimiter not in _LINE_ENDS:
                self._mark(delimiter, frames, cut=refused)
        return frames

    def close(self) -> list[Frame]:
        """Give what is left of a stream that ends here, as a frame that was cut."""
        frames: list[Frame] = []
        if self._tail:
            self._take(self._tail, frames)
            self._tail = b""
        self._end(frames, complete=False)
        self._in_frame = False
        return frames

    def _take(self, segment: bytes, frames: list[Frame]) -> bool:
        """Take what stands between two delimiters; tell whether nothing of it was refused."""
        try:
            parsed = self._memo[segment]
        except KeyError:
            parsed = parse(segment, self._mode)
            if len(self._memo) >= _MEMO_SIZE:
                self._memo.clear()
            if len(segment) <= MAX_GROUP:
                self._memo[segment] = parsed
        if parsed is None:
            return True
        if not self._in_frame:
            self._stray = True
        self._segments += 1
        if self._segments > MAX_SEGMENTS and self._in_frame:
            self._end(frames, complete=False)
            self._in_frame = False
            self._stray = True
        if isinstance(parsed, Group):
            return self._keep(parsed, segment, frames)
        self._refuse(parsed)
        return False

    def _keep(self, group: Group, segment: bytes, frames: list[Frame]) -> bool:
        groups, label = self._groups, group.label
        if label.name in groups:
            if self._in_frame:
                self._refuse(Rejected(_shown(segment), Reason.DUPLICATE))
                return False
            # Outside a frame a label that comes again tells that another one has begun.
            self._end(frames, complete=False)
            groups = self._groups
        elif groups and next(iter(groups.values())).label.mode is not label.mode:
            self._refuse(Rejected(_shown(segment), Reason.UNKNOWN_LABEL))
            return False
        groups[label.name] = group
        self.counters.groups += 1
        return True

    def _refuse(self, rejected: Rejected) -> None:
        self.counters.rejected[rejected.reason] += 1
        if len(self._rejected) < MAX_REJECTED:
            self._rejected.append(rejected)

    def _mark(self, delimiter: bytes, frames: list[Frame], *, cut: bool) -> None:
        """Take STX, ETX or EOT. `cut` says that it stands in the middle of a group."""
        starts = delimiter == STX
        if starts and (self._in_frame or self._stray):
            self.counters.resyncs += self._synchronised
        self._end(frames, complete=delimiter == ETX and self._in_frame and not cut)
        self._in_frame = starts
        if starts:
            self._synchronised = True
            self._stray = False

    def _end(self, frames: list[Frame], *, complete: bool) -> None:
        if self._groups:
            mode = next(iter(self._groups.values())).label.mode
            frames.append(Frame(mode, complete, self._groups, tuple(self._rejected)))
            self.counters.frames += 1
        self._groups, self._rejected, self._segments = {}, [], 0


def encode_frame(groups: Iterable[Group]) -> bytes:
    """Give the bytes of a whole frame, STX and ETX included. The reverse of `Decoder.feed`."""
    content = b"".join(
        encode(group.label.name, group.raw, group.label.mode, group.raw_horodate)
        for group in groups
    )
    return STX + content + ETX


def _shown(segment: bytes) -> str:
    return segment.decode("ascii")
