"""Output: for people in their language, or for programs in JSON.

On standard output stands what was asked for; what is said beside goes to standard error.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
import io
import json
import os
from pathlib import Path
import secrets
import sys
from typing import Final, TextIO

from consometers_quoalise.records.documents import Json

from .errors import CommandError
from .words import Language, say

_SPACES: Final = "\n\t\u00a0\u202f"
"""The last two keep French marks with their word."""
_GAP: Final = "  "


class Output:
    """Prints a command's output."""

    def __init__(self, language: Language, *, as_json: bool) -> None:
        self.language = language
        self.as_json = as_json

    def document(self, value: Json) -> None:
        """Print the one JSON document of a command."""
        _write(sys.stdout, json.dumps(value, ensure_ascii=False, indent=2))

    def line(self, value: Json) -> None:
        """Print one JSON object of many; it has left when this returns."""
        _write(sys.stdout, json.dumps(value, ensure_ascii=False))

    def text(self, words: str) -> None:
        """Print words for people; they have left when this returns."""
        _write(sys.stdout, clean(words))

    def note(self, key: str, **facts: object) -> None:
        """Print a side message."""
        _write(sys.stderr, clean(say(key, self.language, **facts)))

    def complain(self, error: CommandError) -> int:
        """Print an error, and return the exit status."""
        message = clean(error.sentence)
        if self.as_json:
            more: Mapping[str, Json] = {name: fact for name, fact in error.more.items() if fact}
            self.document({"error": {"condition": error.condition, "message": message, **more}})
        else:
            _write(sys.stderr, message)
        return error.status

    @contextmanager
    def progress(self, key: str, **facts: object) -> Iterator[Progress]:
        """Show on a terminal how far it is, until the end of a block."""
        progress = Progress(clean(say(key, self.language, **facts)))
        progress.is_shown = not self.as_json and sys.stderr.isatty()
        try:
            yield progress
        finally:
            progress.clear()


class Progress:
    """A line on a terminal that is written again and again."""

    def __init__(self, words: str) -> None:
        self._words = words
        self._width = 0
        self.is_shown = False

    def reached(self, part: float) -> None:
        """Show which part is done, from 0 to 1."""
        if self.is_shown:
            line = f"{self._words}  {part:.0%}"
            sys.stderr.write(f"\r{line}")
            sys.stderr.flush()
            self._width = len(line)

    def clear(self) -> None:
        """Remove the line, for another one."""
        if self._width:
            sys.stderr.write(f"\r{' ' * self._width}\r")
            sys.stderr.flush()
            self._width = 0


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; columns of numbers stand to the right."""
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    numeric = [all(map(_is_number, column)) for column in zip(*rows, strict=True)]
    lines = [titles, ["─" * width for width in widths], *rows]
    return "\n".join(
        _GAP.join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in lines
    )


def clean(words: str) -> str:
    """Remove terminal control characters: peers choose some of the words."""
    return "".join(c if c.isprintable() or c in _SPACES else "·" for c in words)


def deliver(document: bytes, file: Path | None) -> None:
    """Print a document, or put it into a file, whole, for its owner alone.

    What is no file (a pipe) is written to.
    """
    if file is None:
        sys.stdout.write(document.decode())
        sys.stdout.flush()
        return
    if file.exists() and not file.is_file():
        file.write_bytes(document)
        return
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
            new.write(document)
        beside.replace(file)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file)) from None
    finally:
        beside.unlink(missing_ok=True)


def prepare_streams() -> None:
    """Replace characters that the terminal cannot write, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _write(stream: TextIO, words: str) -> None:
    stream.write(words + "\n")
    stream.flush()


def _is_number(cell: str) -> bool:
    return not cell or cell.lstrip("-").replace(",", ".").replace(".", "", 1).isdigit()
