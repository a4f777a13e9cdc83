"""What can go wrong with a database, as the node tells it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError

from ..quoalise import Text
from ..quoalise.text import text

EMPTIED = text(
    "{file} is empty, and a node’s database never is: something emptied it. Put a backup back. To"
    " begin again on purpose, without anything that was kept, move {file} and what is beside it"
    " under the same name out of the way."
)
DAMAGED = text("the database’s file is damaged: put a backup back.")


class StoreFault(Exception):
    """The database cannot or will not."""


class Unusable(StoreFault):
    """The database cannot be opened. `text` tells the operator what to do."""

    def __init__(self, words: Text) -> None:
        super().__init__(words.say())
        self.text = words


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
