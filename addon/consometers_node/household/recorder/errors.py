"""Errors of Home Assistant alone, beside those of any source."""

from consometers_node.household.errors import AccessDenied, SourceFault
from consometers_node.i18n.text import text


class WrongToken(AccessDenied):
    """It refuses the token. Only a person can help."""

    words = text(
        "Home Assistant refuses the access token: create a new one in your profile"
        " there, under Security, and give it to the node"
    )


class HomeAssistantRefusal(SourceFault):
    """It understood, and said no."""


class NotAnAdministrator(HomeAssistantRefusal):
    """It lets only administrators write statistics."""

    words = text(
        "Only Home Assistant administrators can write statistics: create an access token"
        " as an administrator, in your profile there, under Security, and give it to the"
        " node"
    )


class TooMuch(SourceFault):
    """Its answer is larger than the node accepts: request less."""

    words = text("Home Assistant’s answer is too large for the node")


class UnreadableAnswer(SourceFault):
    """Its answer is not what this version of the node knows. `what` is for developers."""

    words = text("Home Assistant sent an answer unknown to this version of the node ({what})")
