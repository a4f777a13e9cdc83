"""Writes the sentences of the node into its French catalogue: python -m tools.catalogue."""

import ast
from collections.abc import Iterator
import io
from pathlib import Path
import sys
from typing import IO, Final

from babel.messages import Catalog
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

PACKAGE: Final = Path(__file__).parents[1] / "addon" / "consometers_node"
FRENCH: Final = PACKAGE / "i18n" / "locale" / "fr" / "LC_MESSAGES" / "consometers.po"

type Extracted = tuple[int, str, str | tuple[str, str], list[str]]


def sentences(package: Path = PACKAGE) -> Catalog:
    """Return all sentences, each with the places where it stands."""
    catalogue = Catalog()
    for file, line, message, _, context in extract_from_dir(
        package,
        method_map=[("**.py", "tools.catalogue:of_python"), ("web/templates/**.html", "jinja2")],
        options_map={"web/templates/**.html": {"extensions": "jinja2.ext.i18n"}},
    ):
        sentence = message if isinstance(message, str) else message[:2]
        catalogue.add(sentence, context=context, locations=[(file, line)])
    return catalogue


def of_python(
    file: IO[bytes], keywords: object, comment_tags: object, options: object
) -> Iterator[Extracted]:
    """Yield the sentences of `text` and `say`, as an extraction method of Babel's does."""
    for call in calls(ast.parse(file.read())):
        match call:
            case ast.Call(
                args=[ast.Constant(str(sentence))],
                keywords=[ast.keyword(arg="context", value=ast.Constant(str(context)))],
            ):
                yield call.lineno, "pgettext", (context, sentence), []
            case ast.Call(args=[ast.Constant(str(sentence))], keywords=[]):
                yield call.lineno, "gettext", sentence, []


def calls(module: ast.Module) -> Iterator[ast.Call]:
    """Yield the calls of `text` and `say`. Modules with SQL have another `text`, of SQLAlchemy."""
    nodes = list(ast.walk(module))
    if any(map(_is_of_sqlalchemy, nodes)):
        return
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name("text" | "say")):
                yield node


def _is_of_sqlalchemy(node: ast.AST) -> bool:
    match node:
        case ast.ImportFrom(module=str(module), names=names):
            here = {alias.asname or alias.name for alias in names}
            return module.startswith("sqlalchemy") and "text" in here
        case _:
            return False


def written(source: str, catalogue: Catalog) -> str:
    """Return the catalogue with these sentences and no other; the new ones have no translation."""
    previous = read_po(io.StringIO(source), abort_invalid=True)
    previous.update(catalogue, no_fuzzy_matching=True)
    output = io.BytesIO()
    write_po(
        output,
        previous,
        width=0,
        no_location=True,
        omit_header=True,
        sort_output=True,
        ignore_obsolete=True,
    )
    head, _, _ = source.partition("\n\n")
    return f"{head}\n\n{output.getvalue().decode().strip()}\n"


def main() -> int:
    """Write the catalogue, and name the sentences that want a translation."""
    content = written(FRENCH.read_text(encoding="utf-8"), sentences())
    FRENCH.write_text(content, encoding="utf-8")
    status = 0
    for message in read_po(io.StringIO(content)):
        if message.id and not all(translated(message)):
            print(f"{FRENCH.name}: no French for {message.id!r}", file=sys.stderr)
            status = 1
    return status


def translated(message: Message) -> tuple[str, ...]:
    """Return the translations of a message: in its singular and its plural, if it has one."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


if __name__ == "__main__":
    sys.exit(main())
