"""Finds variables that name nothing, and classes that name many things: python -m tools.names."""

import ast
from collections.abc import Iterator
from pathlib import Path
import sys
from typing import Final

FOLDERS: Final = ("addon", "custom_components", "demo", "packages", "testing", "tests", "tools")
EXCEPT: Final = Path("tests/node/quoalise")
VARIABLES: Final = {
    *("one", "told", "said", "kept", "found", "known", "of"),
    *("is_told", "was_told", "heard_at", "rest_s", "lately"),
}
CLASSES: Final = {
    "Told",
    "Heard",
    "Held",
    "Said",
    "Desk",
    "Visit",
    "Ear",
    "Complaint",
    "Lamp",
    "Sight",
}


def vague(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of what is to be called by its noun."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) if name in VARIABLES:
                yield node.lineno, name
            case ast.ClassDef(name=name) if name in CLASSES:
                yield node.lineno, name


def main() -> int:
    """Print them; 1 if there are any."""
    places = [
        f"{path}:{line}: {name}"
        for folder in FOLDERS
        for path in sorted(Path(folder).rglob("*.py"))
        if not path.is_relative_to(EXCEPT)
        for line, name in vague(ast.parse(path.read_text()))
    ]
    print("\n".join(places), end="\n" if places else "")
    return bool(places)


if __name__ == "__main__":
    sys.exit(main())
