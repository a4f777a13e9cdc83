"""The ad-hoc commands (XEP-0050) that nodes answer, once: names, fields, who answers.

A command has one stage: it is sent with its form filled in. Asked with none, as a chat client
does, a node answers with the form to fill in. Where a command has no field, there is none to send.
"""

from dataclasses import dataclass
from enum import StrEnum

from .elements.forms import Field, FieldType

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
    SEND_LETTER = "send_letter"


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
    fields: tuple[Field, ...] = ()
    answered_by: frozenset[Role] = frozenset(Role)


_IDENTIFIER = Field(var=Var.IDENTIFIER, required=True)
_PERMISSION = Field(var=Var.PERMISSION, required=True)
_ERASE = Field(var=Var.ERASE, type=FieldType.BOOLEAN, default="true")
_PART = Field(var=Var.PART, default="1")

_COLLECTIVE = frozenset({Role.COLLECTIVE})
COMMANDS = {
    command.node: command
    for command in (
        Command(Node.GET_HISTORY, (_IDENTIFIER, Field(var=Var.START), Field(var=Var.END))),
        Command(Node.SUBSCRIBE, (_IDENTIFIER,)),
        Command(Node.UNSUBSCRIBE, (_IDENTIFIER,)),
        Command(Node.LIST_SERIES),
        Command(Node.GET_DATA_NEEDS, answered_by=_COLLECTIVE),
        Command(Node.GRANT, answered_by=_COLLECTIVE),
        Command(Node.WITHDRAW, (_PERMISSION, _ERASE), _COLLECTIVE),
        Command(Node.TERMINATE, (_PERMISSION,)),
        Command(Node.GET_EXPORT, (_PART,), _COLLECTIVE),
        Command(Node.VERIFY_REPORTS, answered_by=_COLLECTIVE),
        Command(Node.OPEN_SUMS, answered_by=_COLLECTIVE),
        Command(Node.SEND_LETTER, answered_by=frozenset({Role.HOUSEHOLD})),
    )
}
"""In the order in which a chat client shows them."""


def answered_by(role: Role) -> tuple[Command, ...]:
    """Return the commands of a role, in the order in which disco#items lists them."""
    return tuple(command for command in COMMANDS.values() if role in command.answered_by)
