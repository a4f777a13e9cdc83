"""Words of somebody else, cleaned where they enter.

A bidirectional override makes an address read backwards, and a line break lets a purpose go on as
lines of a program's. So what is read is one line without controls; a letter has lines of its own.
"""

import re

_DROPPED = dict.fromkeys(
    (
        *(0x061C, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x2070),
        *range(0xE0000, 0xE0080),
    )
)
"""Marks, embeddings, overrides and isolates of direction, and what nobody sees."""
_CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029], " ")
"""C0 and C1 controls, and the separators of lines and paragraphs."""
_CLEANED = _DROPPED | _CONTROLS
_SPACES = re.compile(" {2,}")
_EMPTY_LINES = re.compile("\n{3,}")


def clean(words: str) -> str:
    """Return words on one line, without controls."""
    if words.isprintable():
        return words.strip()
    return _SPACES.sub(" ", words.translate(_CLEANED)).strip()


def clean_lines(words: str) -> str:
    """Return words on their lines, without other controls and with at most one empty line."""
    lines = "\n".join(map(clean, words.splitlines()))
    return _EMPTY_LINES.sub("\n\n", lines).strip("\n")
