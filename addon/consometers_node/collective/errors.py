"""Errors of a collective, with a message for the person or the program that asked."""

from typing import ClassVar

from sqlalchemy.exc import DBAPIError

from consometers_node.i18n.text import Text, TranslatedError, around, text
from consometers_node.store.engine.errors import is_full, reason
from consometers_quoalise import BadRequest, ItemNotFound, QuoaliseError

_FULL = text(
    "The database’s disk is full. No data is lost: members keep their records and send them"
    " again. Free some space; the node then resumes automatically."
)
_AWAY = text(
    "The database cannot be used ({said}). No data is lost: members keep their records and send"
    " them again. Check that the database runs and that the node can write to it; the node then"
    " resumes automatically."
)


class CollectiveFault(TranslatedError):
    """A failed action; `text` says why, and what to do.

    The words name nobody and no series: they may be logged, and sent as a `refusal` to the peer
    that asked.
    """

    condition: ClassVar[str] = "not-possible"
    refusal: ClassVar[type[QuoaliseError]] = BadRequest


class NotFound(CollectiveFault):
    """There is no such member, permission, invitation or data need."""

    condition = "unknown"
    refusal = ItemNotFound


def database_problem(fault: DBAPIError) -> Text:
    """Return why the database cannot be used and what to do, without the statement that failed."""
    return _FULL if is_full(fault) else around(_AWAY, reason(fault))
