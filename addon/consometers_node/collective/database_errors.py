"""What to do when the database cannot be used, in words for whoever runs the node."""

from sqlalchemy.exc import DBAPIError

from ..quoalise import Text
from ..quoalise.text import around, text
from ..store.reasons import is_full, reason

_FULL = text(
    "The database’s disk is full: make room on it. The node goes on by itself then; what members"
    " push meanwhile is not acknowledged, and comes again."
)
_AWAY = text(
    "The database cannot be used ({said}): see that it runs, and that the node may write to it. The"
    " node goes on by itself then; what members push meanwhile is not acknowledged, and comes"
    " again."
)


def words(fault: DBAPIError) -> Text:
    """Say what a database has, without the statement that met it."""
    return _FULL if is_full(fault) else around(_AWAY, reason(fault))
