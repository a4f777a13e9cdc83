"""Errors of a collective, with a message for the person or the program that asked."""

from collections.abc import Mapping
from typing import ClassVar

from sqlalchemy.exc import DBAPIError

from consometers_node.i18n.text import Text, TranslatedError, around, text
from consometers_node.store.engine.errors import is_full, reason
from consometers_quoalise import BadRequest, ItemNotFound, NotAuthorized, QuoaliseError

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


class NotInvited(CollectiveFault):
    """The invitation is unknown, or has ended."""

    condition = "not-invited"
    refusal = NotAuthorized


class OtherKind(CollectiveFault):
    """A member is invited as a different kind."""

    condition = "other-kind"
    words = text(
        "This node is already a member of another kind (home, site or collective) than in this"
        " invitation. To change its kind, withdraw all its permissions here with erasure, then"
        " open the invitation again."
    )


class NotRequested(CollectiveFault):
    """A permission goes beyond the data need, or answers a closed one."""

    condition = "not-asked"


class BadWitness(CollectiveFault):
    """A protected sum cannot be asked for with this witness; `field` is what stands in the way."""

    condition = "bad-witness"

    def __init__(self, field: str, words: Text) -> None:
        super().__init__(words)
        self.field = field


class NotYours(CollectiveFault):
    """A permission names a device that another member already shares."""

    condition = "not-yours"
    refusal = NotAuthorized


class NotFound(CollectiveFault):
    """There is no such member, permission, invitation or data need."""

    condition = "unknown"
    refusal = ItemNotFound


class NameTaken(CollectiveFault):
    """Two sites would have one name."""

    condition = "name-taken"
    words = text("There is already a site named “{name}”: choose another name.")


class Nameless(CollectiveFault):
    """A home is to be named."""

    words = text(
        "A home is known here only by its pseudonym: only a site or a collective has a name."
    )


class NoSite(CollectiveFault):
    """A collective is to be shown as a site."""

    condition = "no-site"
    words = text(
        "A collective is never shown as a public building: its figures are sums of its own"
        " members. Give it a name instead."
    )


class NotByName(CollectiveFault):
    """A member is to be shown by name whose own node has not granted that."""

    condition = "not-by-name"
    words = text(
        "This member has not allowed you to show it by name. Create a data request for it"
        " (identification: name), and invite the member as a site. Show it here once the"
        " building’s own node has allowed it."
    )


class TooManyShares(CollectiveFault):
    """A member would hold more shares of a plant than are left."""

    condition = "too-many-shares"
    words = text(
        "{name} has {total} shares, and members may hold {left} more: write a smaller number, or"
        " change the number of shares in its description."
    )


class BadChallenge(CollectiveFault):
    """A challenge that cannot be; `errors` say what is wrong, by field."""

    condition = "bad-challenge"

    def __init__(self, errors: Mapping[str, Text]) -> None:
        super().__init__(next(iter(errors.values())))
        self.errors = errors


def database_problem(fault: DBAPIError) -> Text:
    """Return why the database cannot be used and what to do, without the statement that failed."""
    return _FULL if is_full(fault) else around(_AWAY, reason(fault))
