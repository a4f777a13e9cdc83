"""What an AppArmor profile lets its program do with files: enough of apparmor.d(5) for our own.

The parser of AppArmor says whether a profile is well-formed. Only a kernel says what it allows, and
a container has none of its own: this says it for the rules of paths.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
import re

ABSTRACTIONS = Path("/etc/apparmor.d")
_VARIABLES = {
    "@{PROC}": "/proc/",
    "@{pid}": "[1-9]*",
    "@{sys}": "/sys/",
    "@{run}": "/{,var/}run/",
    "@{etc_ro}": "/{,usr/}etc/",
    "@{etc_rw}": "/etc/",
    "@{multiarch}": "*-linux-gnu*",
    "@{HOME}": "/root/",
    "@{HOMEDIRS}": "/home/",
}
_PIECES = {"**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}
_RULE = re.compile(r"^(?:owner )?(/\S*) ([rwaklmixcpuUPC]+)(?: -> \S+)?,$")
_INCLUDE = re.compile(r"^#?include (if exists )?<([^>]+)>$")


@dataclass(frozen=True)
class Rule:
    path: re.Pattern[str]
    permissions: frozenset[str]


def _pattern(glob: str) -> re.Pattern[str]:
    """Translate a glob: a star after a slash stands for a name, which has a letter at least."""
    pieces = re.split(r"(\*\*|\[[^]]+\]|[*?{},])", glob)
    written = []
    depth = 0
    before = ""
    for piece in pieces:
        if piece in ("*", "**") and before.endswith("/"):
            written.append("[^/]" + _PIECES[piece])
        elif piece.startswith("[") or (piece in _PIECES and (piece != "," or depth)):
            depth += {"{": 1, "}": -1}.get(piece, 0)
            written.append(_PIECES.get(piece, piece))
        else:
            written.append(re.escape(piece))
        before = piece or before
    return re.compile("".join(written))


def _lines(text: str) -> Iterator[str]:
    """Yield the lines of a profile and those that it includes, variables filled in."""
    for raw in text.splitlines():
        line = re.sub(r"\s+", " ", raw.strip())
        if included := _INCLUDE.match(line):
            optional, name = included.groups()
            files = ABSTRACTIONS / name
            if files.is_file():
                yield from _lines(files.read_text())
            assert files.exists() or optional, name
        elif not line.startswith("#"):
            for variable, stands_for in _VARIABLES.items():
                line = line.replace(variable, stands_for)
            yield line.split(" #")[0].replace("//", "/")


def rules(text: str, name: str) -> list[Rule]:
    """Return the rules of paths of a profile, or of one within it that has none within itself."""
    match = re.search(rf"^( *)profile {name} [^\n]*{{\n(.*?)^\1}}", text, re.MULTILINE | re.DOTALL)
    assert match, name
    parsed = (_RULE.match(line) for line in _lines(match[2]))
    return [Rule(_pattern(rule[1]), frozenset(rule[2])) for rule in parsed if rule]


def missing(allowed: list[Rule], path: str, wanted: str) -> set[str]:
    """Return the permissions that a program lacks on a path."""
    given = {
        permission
        for rule in allowed
        if rule.path.fullmatch(path)
        for permission in rule.permissions
    }
    return set(wanted) - given
