"""What cannot be taken back is asked once more, or answered by `--yes`."""

import sys
from typing import Annotated

import typer

from consometers_node.quoalise.text import text

from .errors import CliError
from .locale import say
from .output import Output

_YES = frozenset({"y", "yes", "o", "oui"})
_NOT_ASKED = text("Nothing changed: answer the question, or write --yes.")

Yes = Annotated[bool, typer.Option("--yes", help=say("Do not ask again."))]


def agree(question: str, output: Output, *, yes: bool) -> None:
    """Ask somebody at a terminal. Raises `CliError` where the answer is not yes, or nobody is."""
    if yes:
        return
    if output.as_json or not sys.stdin.isatty():
        raise CliError("not-confirmed", _NOT_ASKED)
    if input(question).strip().lower() not in _YES:
        raise CliError("not-confirmed", _NOT_ASKED)
