"""What to do when a household's database cannot be used."""

from sqlalchemy.exc import DBAPIError

from ..quoalise import Text
from ..quoalise.text import around, text
from ..store.reasons import explained, is_full

_FULL = text(
    "The disk is full: make room on it. The node goes on by itself then. Until then nothing leaves,"
    " and permissions can be withdrawn all the same."
)
_AWAY = text(
    "The node’s database cannot be used: {said} The node goes on by itself then. Until then nothing"
    " leaves."
)


def words(fault: DBAPIError) -> Text:
    """Say what a database has, without the statement that met it."""
    return _FULL if is_full(fault) else around(_AWAY, explained(fault))
