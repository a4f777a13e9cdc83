"""Why a home's database cannot be used, in words for people."""

from sqlalchemy.exc import DBAPIError

from consometers_node.i18n.text import Text, around, text
from consometers_node.store.engine.errors import explained, is_full

_FULL = text(
    "The disk is full. Until you free some space, no data leaves; you can still withdraw"
    " permissions. The node then resumes automatically."
)
_AWAY = text(
    "The node’s database cannot be used: {said} Until this is solved, no data leaves. The node"
    " then resumes automatically."
)


def database_problem(fault: DBAPIError) -> Text:
    """Return the problem of a database, without the statement that met it."""
    return _FULL if is_full(fault) else around(_AWAY, explained(fault))
