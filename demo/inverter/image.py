"""A register image: what a device has at which address. Written to a file, or read from one."""

from collections.abc import Iterator, Mapping
import csv
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any, Self

from .sunspec import END, MARKER

BASE = 40_000
"""The address at which most devices have their map; others have it at 0 or 50000."""

_SPACE = "holding"
_HEADINGS = ("address", "value")


class ImageError(Exception):
    """The file holds no registers. The message says why."""


@dataclass(frozen=True, slots=True)
class Image:
    """Registers by address. What is not there is no legal address."""

    registers: Mapping[int, int]

    @classmethod
    def of_models(cls, models: Iterator[list[int]], base: int = BASE) -> Self:
        """Put models one after the other, with SunSpec's marker before and its end after them."""
        words = [*MARKER]
        for model in models:
            words += model
        return cls(dict(enumerate((*words, *END), base)))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file that `dump` wrote, or somebody with another program.

        JSON: an object of addresses, each with a register or a list of those that follow; perhaps
        inside another under "holding", as modbus-connection's async_read_raw gives them. CSV: an
        address and a register in each line. Numbers may be written 0x9C40.

        Raises:
            ImageError: it is neither.
        """
        text = path.read_text()
        try:
            pairs = _from_json(text) if text.lstrip().startswith("{") else _from_csv(text)
            registers = dict(pairs)
        except (TypeError, ValueError) as error:
            raise ImageError(f"{path} holds no registers: {error}") from error
        if not registers:
            raise ImageError(f"{path} holds no registers")
        return cls(registers)

    def dump(self, path: Path) -> None:
        """Write a file: CSV if it is named so, else JSON."""
        if path.suffix == ".csv":
            with path.open("w", newline="") as file:
                csv.writer(file).writerows([_HEADINGS, *self.registers.items()])
        else:
            named = {str(address): word for address, word in self.registers.items()}
            path.write_text(json.dumps({_SPACE: named}, indent=1) + "\n")

    def cut(self, registers: int) -> Image:
        """Return the first so many registers."""
        return Image(dict(list(self.registers.items())[:registers]))

    def read(self, address: int, count: int) -> list[int] | None:
        """Return registers, or None if one of them is not there."""
        words = [self.registers.get(address + n) for n in range(count)]
        present = [word for word in words if word is not None]
        return present if len(present) == count else None


def _from_json(text: str) -> Iterator[tuple[int, int]]:
    content: dict[str, Any] = json.loads(text)
    for address, words in content.get(_SPACE, content).items():
        for offset, word in enumerate(words if isinstance(words, list) else [words]):
            yield _number(address) + offset, _word(word)


def _from_csv(text: str) -> Iterator[tuple[int, int]]:
    for row in csv.reader(text.splitlines()):
        if not row or tuple(cell.strip().lower() for cell in row[:2]) == _HEADINGS:
            continue
        if len(row) < 2:
            raise ValueError(f"{row[0]!r} has no value")
        yield _number(row[0]), _word(row[1])


def _number(text: str) -> int:
    return int(text, 0)


def _word(cell: str | int) -> int:
    word = _number(cell) if isinstance(cell, str) else cell
    if not 0 <= word <= 0xFFFF:
        raise ValueError(f"{cell} is no register")
    return word
