"""Frames as JSON, one a line, with everything that was sent."""

from dataclasses import fields, is_dataclass
from datetime import datetime, time
import json
from typing import TextIO

from consometers_tic import Counters, Frame, Group

_MEMO_SIZE = 4096


class JsonLines:
    """Writes a line for each frame, and last the counters."""

    def __init__(self, out: TextIO) -> None:
        """Write to a stream of text."""
        self._out = out
        # Most groups are the same from frame to frame.
        self._memo: dict[tuple[str, str, str | None], str] = {}

    def show(self, frames: list[Frame], counters: Counters) -> None:
        """Write what came, and flush it for the reader at once."""
        for frame in frames:
            self._out.write(self._line(frame))
        if frames:
            self._out.flush()

    def end(self, counters: Counters) -> None:
        """Write the summary."""
        names = ("bytes", "frames", "groups", "rejected", "resyncs")
        self._out.write(_dump({"summary": {n: getattr(counters, n) for n in names}}) + "\n")
        self._out.flush()

    def _line(self, frame: Frame) -> str:
        groups = ",".join(f'"{name}":{self._group(group)}' for name, group in frame.groups.items())
        head = _dump({"mode": frame.mode, "complete": frame.complete})
        rejected = _dump([{"raw": r.raw, "reason": r.reason} for r in frame.rejected])
        return f'{head[:-1]},"groups":{{{groups}}},"rejected":{rejected}}}\n'

    def _group(self, group: Group) -> str:
        key = group.label.name, group.raw, group.raw_horodate
        if (text := self._memo.get(key)) is None:
            if len(self._memo) >= _MEMO_SIZE:
                self._memo.clear()
            text = self._memo[key] = _dump(
                {
                    "raw": group.raw,
                    "value": plain(group.value),
                    "unit": group.label.unit,
                    "horodate": plain(group.time),
                }
            )
        return text


type Plain = int | str | list[Plain] | dict[str, Plain] | None


def plain(value: object) -> Plain:
    """Return a value as JSON has it: times in ISO 8601, sets and schedules as lists."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat("minutes")
    if isinstance(value, frozenset):
        return [*sorted(value)]
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if value is None or isinstance(value, int | str):
        return value
    raise TypeError(f"{value!r} is no value of a field")


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
