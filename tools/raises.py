"""Finds exceptions that docstrings name and that do not exist: python -m tools.raises.

One after "Raises" exists if it is a builtin, if the tree raises or catches it, or if a class of
the tree has its name.
"""

import ast
import builtins
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
import re
import sys
from typing import Final

FOLDERS: Final = ("addon", "custom_components", "demo", "packages", "testing", "tests", "tools")
_NAME: Final = r"`?[A-Z_]\w*[a-z]\w*`?"
_RAISES: Final = re.compile(
    rf"\bRaises? (?:an? |the )?({_NAME}(?:(?:,| and| or|, and|, or) {_NAME})*)"
)
_DOCUMENTED: Final = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def exceptions(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line of a docstring, and each exception that it names after "Raises"."""
    for node in ast.walk(tree):
        if not isinstance(node, _DOCUMENTED) or not (docstring := ast.get_docstring(node)):
            continue
        for match in _RAISES.finditer(" ".join(docstring.split())):
            for name in re.findall(_NAME, match[1]):
                yield node.body[0].lineno, name.strip("`")


def existing(trees: Iterable[ast.Module]) -> set[str]:
    """Return the exceptions that are builtins, raised or caught by name, or classes of the tree."""
    names = {name for name, value in vars(builtins).items() if isinstance(value, type)}
    bases: dict[str, set[str]] = {}
    for node in (node for tree in trees for node in ast.walk(tree)):
        match node:
            case ast.ClassDef(name=name):
                bases.setdefault(name, set()).update(map(_name, node.bases))
            case ast.Raise(exc=ast.Call(func=raised) | (ast.Attribute() as raised)):
                names.add(_name(raised))
            case ast.ExceptHandler(type=ast.expr() as caught):
                names.update(map(_name, caught.elts if isinstance(caught, ast.Tuple) else [caught]))
            case ast.TypeAlias(name=ast.Name(id=name), value=value):
                bases.setdefault(name, set()).update(map(_name, ast.walk(value)))
    while derived := {name for name in bases.keys() - names if bases[name] & names}:
        names |= derived
    return names


def _name(expression: ast.AST) -> str:
    return ast.unparse(expression).rpartition(".")[2]


def missing(trees: Mapping[Path, ast.Module]) -> Iterator[str]:
    """Yield the place and the name of each exception that does not exist.

    Those of tests do not exist for others.
    """
    tests = {path: tree for path, tree in trees.items() if {"testing", "tests"} & set(path.parts)}
    product = {path: tree for path, tree in trees.items() if path not in tests}
    for part, names in ((product, existing(product.values())), (tests, existing(trees.values()))):
        for path, tree in part.items():
            for line, name in exceptions(tree):
                if name not in names:
                    yield f"{path}:{line}: {name}"


def main() -> int:
    """Print them; 1 if there are any."""
    paths = [path for folder in FOLDERS for path in sorted(Path(folder).rglob("*.py"))]
    places = list(missing({path: ast.parse(path.read_text()) for path in paths}))
    print("\n".join(places), end="\n" if places else "")
    return bool(places)


if __name__ == "__main__":
    sys.exit(main())
