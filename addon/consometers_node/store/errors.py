"""What can go wrong with a database, as the node tells it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import IntegrityError


class StoreFault(Exception):
    """The database cannot or will not."""


class Unusable(StoreFault):
    """The database cannot be opened. The message tells the operator what to do."""


class Emptied(Unusable):
    """The database's file is empty, which a node's never is."""

    def __init__(self, file: Path) -> None:
        super().__init__(f"{file} is empty")
        self.file = file


class NotPermitted(StoreFault):
    """The database refuses: no permission is valid now for this peer, series and range.

    The transaction is over with that; nothing of it is kept.
    """


@contextmanager
def only_with_permission() -> Iterator[None]:
    """Raise NotPermitted where the database refuses what is written inside."""
    try:
        yield
    except IntegrityError as fault:
        raise NotPermitted(str(fault.orig)) from fault
