"""The ad-hoc commands (XEP-0050) that nodes answer, once: names, fields, titles, who answers.

A command has one stage: it is sent with its form filled in. Asked with none, as a chat client
does, a node answers with the form to fill in. Where a command has no field, there is none to send.
"""

from dataclasses import dataclass
from enum import StrEnum

from ..i18n.text import Text, text
from .forms import Field, FieldType

NAMESPACE = "http://jabber.org/protocol/commands"


class Role(StrEnum):
    """The role of a node towards its peers."""

    HOUSEHOLD = "household"
    COLLECTIVE = "collective"


class Node(StrEnum):
    """Name of a command, as disco#items lists it."""

    GET_HISTORY = "get_history"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    LIST_SERIES = "list_series"
    GET_DATA_NEEDS = "get_data_needs"
    GRANT = "grant"
    WITHDRAW = "withdraw"
    TERMINATE = "terminate"
    GET_EXPORT = "get_export"
    VERIFY_REPORTS = "verify_reports"
    OPEN_SUMS = "open_sums"


class Var(StrEnum):
    """Name of a field of a form."""

    IDENTIFIER = "identifier"
    START = "start_time"
    END = "end_time"
    PERMISSION = "permission"
    ERASE = "erase"
    PART = "part"


@dataclass(frozen=True, slots=True)
class Command:
    """A command. `answered_by` are the roles that know it."""

    node: Node
    title: Text
    fields: tuple[Field, ...] = ()
    answered_by: frozenset[Role] = frozenset(Role)


_IDENTIFIER = Field(
    var=Var.IDENTIFIER,
    label=text("Identifier of the series"),
    description=text("Such as urn:dev:prm:30001610071843_consumption/power/active/raw"),
    required=True,
)
_START = Field(
    var=Var.START,
    label=text("From", context="start of what is asked"),
    description=text(
        "ISO 8601 with offset, such as 2021-12-01T00:00:00+01:00. Empty: 24 hours before the end"
    ),
)
_END = Field(
    var=Var.END,
    label=text("End, excluded"),
    description=text("ISO 8601 with offset, such as 2021-12-05T00:00:00+01:00. Empty: now"),
)
_PERMISSION = Field(var=Var.PERMISSION, label=text("Number of the permission"), required=True)
_ERASE = Field(
    var=Var.ERASE,
    label=text("Erase the received data"),
    type=FieldType.BOOLEAN,
    default="true",
)

_PART = Field(
    var=Var.PART,
    label=text("Number of the part"),
    description=text("1, then the next, until all parts have come"),
    default="1",
)

_COLLECTIVE = frozenset({Role.COLLECTIVE})
COMMANDS = {
    command.node: command
    for command in (
        Command(Node.GET_HISTORY, text("Get history"), (_IDENTIFIER, _START, _END)),
        Command(Node.SUBSCRIBE, text("Subscribe to new records"), (_IDENTIFIER,)),
        Command(Node.UNSUBSCRIBE, text("Unsubscribe from new records"), (_IDENTIFIER,)),
        Command(Node.LIST_SERIES, text("List the series")),
        Command(
            Node.GET_DATA_NEEDS,
            text("What this collective asks for, and why"),
            answered_by=_COLLECTIVE,
        ),
        Command(Node.GRANT, text("Grant a permission"), answered_by=_COLLECTIVE),
        Command(Node.WITHDRAW, text("Withdraw a permission"), (_PERMISSION, _ERASE), _COLLECTIVE),
        Command(Node.TERMINATE, text("Return a permission"), (_PERMISSION,)),
        Command(
            Node.GET_EXPORT,
            text("Get all that this collective holds about you"),
            (_PART,),
            _COLLECTIVE,
        ),
        Command(
            Node.VERIFY_REPORTS,
            text("Verify masked reports, as their witness"),
            answered_by=_COLLECTIVE,
        ),
        Command(
            Node.OPEN_SUMS,
            text("Open sums of masked reports, as their witness"),
            answered_by=_COLLECTIVE,
        ),
    )
}
"""In the order in which a chat client shows them."""


def answered_by(role: Role) -> tuple[Command, ...]:
    """Return the commands of a role, in the order in which disco#items lists them."""
    return tuple(command for command in COMMANDS.values() if role in command.answered_by)
