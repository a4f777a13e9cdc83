"""From a stream of bytes to frames, group by group.

    frame = STX group+ ETX, or STX group* EOT when the meter interrupts itself

Sources: Enedis-NOI-CPT_54E §5.3.6, Enedis-NOI-CPT_02E §1.5.2. A group that fails a check is refused
and the rest of its frame kept (02E §1.5.3).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
import re

from .group import CR, EOT, ETX, LF, MAX_GROUP, NOISE, STX, Group, Reason, Rejected, encode, parse
from .values import Mode

MAX_REFUSED = 200
"""Refused groups after which a frame without an end is cut; the longest frame has 80 groups."""
MAX_REJECTED = 64
"""Refused groups that a frame keeps; more are counted, not kept."""
LINK_BAD_AFTER_S = 10.0

_MARKS = re.compile(b"([" + STX + ETX + EOT + b"])")
# The parity bit does not count, and LF and CR delimit alike.
_PLAIN = bytes(c & 0x7F for c in range(256)).replace(LF, CR)
_MEMO_SIZE = 1024


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
        """Whether the meter's lamp would call it correct: whole, and every checksum right.

        A label that we do not know, or that a firmware writes in its own way, is no bad link.
        """
        return self.complete and not any(r.reason is Reason.CHECKSUM for r in self.rejected)


@dataclass(slots=True)
class Counters:
    """The counters of a decoder.

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

    `mode` is the meter's mode; without it each group's separators do. Bytes may carry their
    parity bit. Nothing that is fed raises, and memory stays bounded whatever is fed.
    """

    def __init__(self, mode: Mode | None = None) -> None:
        """Start with nothing heard."""
        self.counters = Counters()
        self._mode = mode
        self._tail = b""
        self._groups: dict[str, Group] = {}
        self._frame_mode: Mode | None = None
        self._rejected: list[Rejected] = []
        self._refused = 0
        self._in_frame = False
        self._synchronised = False
        self._stray = False
        # From frame to frame most groups are the same, byte for byte.
        self._memo: dict[bytes, Group | Rejected] = {}

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes and return the frames that they end."""
        self.counters.bytes += len(data)
        frames: list[Frame] = []
        segments = (self._tail + data.translate(_PLAIN)).split(CR)
        tail = segments.pop()
        memoised, take = self._memo.get, self._take
        for segment in segments:
            if not segment:
                continue
            if (parsed := memoised(segment)) is not None:
                take(parsed, segment, frames)
            elif rest := self._split(segment, frames):
                self._read(rest, frames)
        self._tail = _significant(self._split(tail, frames))
        return frames

    def close(self) -> list[Frame]:
        """Return the rest of a stream that ends here, as a frame that was cut."""
        frames: list[Frame] = []
        self._read(self._tail, frames)
        self._end(frames, complete=False)
        return frames

    def _split(self, segment: bytes, frames: list[Frame]) -> bytes:
        """Process the frame marks of a segment and the text before them; return the rest."""
        pieces = _MARKS.split(segment)
        for n in range(0, len(pieces) - 1, 2):
            whole = not pieces[n] or self._read(pieces[n], frames)
            self._mark(pieces[n + 1], frames, cut=not whole)
        return pieces[-1]

    def _read(self, segment: bytes, frames: list[Frame]) -> bool:
        """Take a segment without marks; return whether all of it was accepted."""
        parsed = parse(segment, self._mode)
        if parsed is None:
            return True
        if len(segment) <= MAX_GROUP:
            if len(self._memo) >= _MEMO_SIZE:
                self._memo.clear()
            self._memo[segment] = parsed
        return self._take(parsed, segment, frames)

    def _take(self, parsed: Group | Rejected, segment: bytes, frames: list[Frame]) -> bool:
        if not self._in_frame:
            self._stray = True
        if isinstance(parsed, Rejected):
            return self._refuse(parsed, frames)
        label, groups = parsed.label, self._groups
        if label.name in groups:
            if self._in_frame:
                return self._refuse(Rejected(_shown(segment), Reason.DUPLICATE), frames)
            # Outside a frame a label that comes again shows that another one has begun.
            self._end(frames, complete=False)
            groups = self._groups
        elif groups and label.mode is not self._frame_mode:
            return self._refuse(Rejected(_shown(segment), Reason.UNKNOWN_LABEL), frames)
        groups[label.name] = parsed
        self._frame_mode = label.mode
        self.counters.groups += 1
        return True

    def _refuse(self, rejected: Rejected, frames: list[Frame]) -> bool:
        self.counters.rejected[rejected.reason] += 1
        self._refused += 1
        if len(self._rejected) < MAX_REJECTED:
            self._rejected.append(rejected)
        if self._refused >= MAX_REFUSED and self._in_frame:
            self._end(frames, complete=False)
            self._in_frame, self._stray = False, True
        return False

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
        if self._groups and self._frame_mode is not None:
            frames.append(Frame(self._frame_mode, complete, self._groups, tuple(self._rejected)))
            self.counters.frames += 1
        self._groups, self._rejected, self._refused = {}, [], 0


class LinkIndicator:
    """The lamp that a receiver shows for its link to the meter. Source: Enedis-NOI-CPT_54E annex A.

    Good from one correct frame on, until ten seconds go by without another.
    """

    def __init__(self) -> None:
        """Start dark: nothing has been received."""
        self._last_correct: float | None = None

    def update(self, frames: list[Frame], at: float) -> None:
        """Take the frames that came at `at` seconds of a monotonic clock."""
        if any(frame.correct for frame in frames):
            self._last_correct = at

    def is_good(self, at: float) -> bool:
        """Return whether the link is good at that time."""
        return self._last_correct is not None and at - self._last_correct < LINK_BAD_AFTER_S


def encode_frame(groups: Iterable[Group]) -> bytes:
    """Return the bytes of a whole frame, STX and ETX included. The reverse of `Decoder.feed`."""
    content = b"".join(
        encode(group.label.name, group.raw, group.label.mode, group.raw_horodate)
        for group in groups
    )
    return STX + content + ETX


def _significant(segment: bytes) -> bytes:
    """Return what counts of an unfinished segment: its start, and whether more than noise follows.

    However its end comes, `parse` then says the same as of the whole segment.
    """
    content = segment.lstrip(NOISE)
    return content[:MAX_GROUP] + content[MAX_GROUP:].strip(NOISE)[:1]


def _shown(segment: bytes) -> str:
    return segment.strip(NOISE).decode("ascii")
