"""Errors between the node and the home's Home Assistant.

No message contains an address, a token or a name of the home: they go to logs and pages.
"""

from sqlalchemy.exc import DBAPIError

from consometers_node.i18n.text import Text, TranslatedError, around, text
from consometers_node.store.engine.errors import explained, is_full

_FULL = text(
    "The disk is full. Until you free some space, no data leaves; you can still withdraw"
    " permissions. The node then resumes automatically."
)
_AWAY = text(
    "The node’s database cannot be used: {said} Until this is solved, no data leaves. The node"
    " then resumes automatically."
)


class HomeAssistantFault(TranslatedError):
    """A request to Home Assistant failed; `text` says why, and what to do."""


class Away(HomeAssistantFault):
    """It cannot be reached, or does not answer in time. A later retry may help."""


class WrongToken(HomeAssistantFault):
    """It refuses the token. Only a person can help."""

    words = text(
        "Home Assistant refuses the access token: create a new one in your profile"
        " there, under Security, and give it to the node"
    )


class HomeAssistantRefusal(HomeAssistantFault):
    """It understood, and said no."""


class NotAnAdministrator(HomeAssistantRefusal):
    """It lets only administrators write statistics."""

    words = text(
        "Only Home Assistant administrators can write statistics: create an access token"
        " as an administrator, in your profile there, under Security, and give it to the"
        " node"
    )


class NotOurs(HomeAssistantFault):
    """A statistic with that name belongs to something else."""

    words = text(
        "Home Assistant has a statistic {name} that this node did not write: choose another name"
    )


class TooMuch(HomeAssistantFault):
    """Its answer is larger than the node accepts: request less."""

    words = text("Home Assistant’s answer is too large for the node")


class UnreadableAnswer(HomeAssistantFault):
    """Its answer is not what this version of the node knows. `what` is for developers."""

    words = text("Home Assistant sent an answer unknown to this version of the node ({what})")


def database_problem(fault: DBAPIError) -> Text:
    """Return the problem of a database, without the statement that met it."""
    return _FULL if is_full(fault) else around(_AWAY, explained(fault))
