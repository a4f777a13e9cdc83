"""Output drawn by Rich."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

_UNCUT = 1000
"""Columns of what is no terminal: nothing is folded there."""


def print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on stdout; numbers stand to the right."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_UNCUT)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column, title in enumerate(titles):
        numeric = all(_is_number(row[column]) for row in rows)
        table.add_column(
            Text(title), justify="right" if numeric and rows else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


@contextmanager
def progress_bar(words: str, total: float) -> Iterator[Callable[[float], None]]:
    """Show a progress bar on stderr; return the function that moves it."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        task = progress.add_task(words, total=total)

        def reached(done: float) -> None:
            progress.update(task, completed=done)

        yield reached


def _is_number(cell: str) -> bool:
    return not cell or cell.lstrip("-−").replace(",", "").replace(".", "").isdigit()
