"""Output, in one way: for people in their language, or for programs in JSON.

On stdout stands what was asked for: with `--json` one document, and nothing else; without it, text
and tables. What is said beside (what went wrong, how far it is) goes to stderr. Rich is loaded when
it is needed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
import io
import json
import os
from pathlib import Path
import secrets
import sys
from typing import TextIO

from consometers_node.i18n.text import Text, printed, text

from .errors import INTERRUPTED, CliError, cli_error_of
from .locale import language
from .times import local

_SPACES = "\n\t\u00a0\u202f"
"""The last two keep French marks with their word."""

_ISOLATES = dict.fromkeys((0x2068, 0x2069))
"""Around words of others, which are clean of controls: many terminals show them as boxes."""

_YES = frozenset({"y", "yes", "o", "oui"})
_NOT_ASKED = text("Nothing changed: answer the question, or write --yes.")

type Json = bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None
type Cell = Text | datetime | float | str | None
type Columns[Row] = Mapping[Text | str, Callable[[Row], Cell]]
"""The title of each column, and what it shows of a row."""
type Reached = Callable[[float], None]
"""Receives the progress: how much of the total is done."""


class Output:
    """Prints a command's output."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.language = language()

    @property
    def catalogue_language(self) -> str:
        """The language of what is written or signed: the node has sentences in two."""
        return "fr" if self.language.startswith("fr") else "en"

    def document(self, value: Json) -> None:
        """Print the one JSON document of a command."""
        _write(sys.stdout, json.dumps(value, ensure_ascii=False, indent=2))

    def say(self, words: Text | str, **values: object) -> None:
        """Print words for people; it has left when this returns."""
        _write(sys.stdout, clean(self.translated(words, **values)))

    def note(self, words: Text | str, **values: object) -> None:
        """Print a side message on stderr."""
        _write(sys.stderr, clean(self.translated(words, **values)))

    def result(self, document: Json, words: Text, **values: object) -> None:
        """Print the result of a command: a document for programs, a message for people."""
        if self.as_json:
            self.document(document)
        else:
            self.say(words, **values)

    def table[Row](self, columns: Columns[Row], rows: Iterable[Row]) -> None:
        """Print a table for people."""
        from .screen import print_table  # noqa: PLC0415

        titles = [self.translated(title) for title in columns]
        print_table(titles, [[self._shown(cell(row)) for cell in columns.values()] for row in rows])

    def listing[Row](
        self,
        rows: Sequence[Row],
        document: Callable[[Row], Json],
        columns: Columns[Row],
        nothing: Text,
    ) -> None:
        """Print a list: documents for programs; for people a table, or that there is nothing."""
        if self.as_json:
            self.document([document(row) for row in rows])
        elif rows:
            self.table(columns, rows)
        else:
            self.say(nothing)

    @property
    def is_watched(self) -> bool:
        """Whether somebody at a terminal sees how far it is."""
        return not self.as_json and sys.stderr.isatty()

    @contextmanager
    def progress(self, words: Text, total: float) -> Iterator[Reached]:
        """Show progress on a terminal; return the function that reports it."""
        if not self.is_watched:
            yield lambda _: None
            return
        from .screen import progress_bar  # noqa: PLC0415

        with progress_bar(self.translated(words), total) as reached:
            yield reached

    def complain(self, error: CliError) -> int:
        """Print an error, and return the exit status."""
        message = clean(self.translated(error.words))
        if self.as_json:
            more = {key: value for key, value in error.more.items() if value is not None}
            self.document({"error": {"condition": error.condition, "message": message, **more}})
        else:
            _write(sys.stderr, message)
        return error.status

    def agree(self, question: Text | str, *, yes: bool) -> None:
        """Ask a person at a terminal. Raises `CliError` unless the answer is yes."""
        if yes:
            return
        asks = not self.as_json and sys.stdin.isatty()
        if not asks or input(self.translated(question)).strip().lower() not in _YES:
            raise CliError("not-confirmed", _NOT_ASKED)

    def translated(self, words: Text | str, **values: object) -> str:
        """Return the words in the person's language, filled; a value may be a text too."""
        chosen = words if isinstance(words, str) else printed(words, self.language)
        filled = {
            name: self.translated(value) if isinstance(value, Text) else value
            for name, value in values.items()
        }
        return chosen.format(**filled) if filled else chosen

    def _shown(self, cell: Cell) -> str:
        match cell:
            case Text():
                return clean(self.translated(cell))
            case datetime():
                return local(cell)
            case _:
                return "" if cell is None else clean(str(cell))


def clean(words: str) -> str:
    """Remove terminal control characters: peers choose some of the words."""
    words = words.translate(_ISOLATES)
    return "".join(c if c.isprintable() or c in _SPACES else "·" for c in words)


def exit_status(work: Callable[[], object], output: Output) -> int:
    """Do the work of a program, print its error, and return the status with which it ends."""
    try:
        status = work()
    except BrokenPipeError:
        # The reader closed the pipe: what Python would still flush has nowhere to go.
        sys.stdout = sys.stderr
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if (cli_error := cli_error_of(error)) is None:
            raise
        return output.complain(cli_error)
    return status if isinstance(status, int) else 0


def deliver(document: bytes, file: Path | None) -> bool:
    """Print a document, or write it to a file for its owner alone. Return whether to a file."""
    if file is None:
        sys.stdout.write(document.decode())
        sys.stdout.flush()
    else:
        write_private(file, document)
    return file is not None


def write_private(file: Path, document: bytes) -> None:
    """Put a file in place, whole, for its owner alone. What is no file (a pipe) is written to."""
    if file.exists() and not file.is_file():
        file.write_bytes(document)
        return
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
            new.write(document)
        beside.replace(file)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(file)) from None


def prepare_streams() -> None:
    """Replace characters that the terminal cannot write, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _write(stream: TextIO, words: str) -> None:
    stream.write(words + "\n")
    stream.flush()
