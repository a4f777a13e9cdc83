"""Requests of peers, as values: from and to the `<command>` of an ad-hoc command (XEP-0050).

<command xmlns="http://jabber.org/protocol/commands" node="get_history" action="execute">
  <x xmlns="jabber:x:data" type="submit">…</x>
</command>
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar
from xml.etree.ElementTree import Element

from . import iso8601
from .commands import COMMANDS, NAMESPACE, Command, Node, Var
from .elements import forms
from .elements.forms import FORM, FormType
from .elements.markup import check_depth, tag
from .elements.reading import Reader, uuid, whole_number
from .errors import Malformed
from .federation.letters import LETTER, Letter, read_letter, write_letter
from .federation.permissions import Permission
from .federation.permissions_xml import (
    PERMISSION,
    read_invitation,
    read_permission,
    write_invitation,
    write_permission,
)
from .federation.protected_sums import (
    OPENING,
    VERIFICATION,
    Opening,
    VerificationRequest,
    read_opening,
    read_verification,
    write_opening,
    write_verification,
)
from .problems import Problem
from .records.identifier import Identifier, identifier

COMMAND = tag(NAMESPACE, "command")
DEFAULT_RANGE = timedelta(hours=24)
_ACTIONS = ("execute", "next", "complete")
_CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class GetHistory:
    """Asks for the records of a series with start ≤ time < end."""

    node: ClassVar = Node.GET_HISTORY
    identifier: Identifier
    start: datetime | None = None
    end: datetime | None = None

    def range(self, now: datetime) -> tuple[datetime, datetime]:
        """Return the requested start and end, by default the last 24 hours."""
        end = self.end or max(now, self.start or now)
        return self.start or end - DEFAULT_RANGE, end


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Subscribes to the new records of a series."""

    node: ClassVar = Node.SUBSCRIBE
    identifier: Identifier


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Ends a subscription."""

    node: ClassVar = Node.UNSUBSCRIBE
    identifier: Identifier


@dataclass(frozen=True, slots=True)
class ListSeries:
    """Asks which series the asker may read."""

    node: ClassVar = Node.LIST_SERIES


@dataclass(frozen=True, slots=True)
class GetDataNeeds:
    """Asks a collective for its data needs, with the token of an invitation if there is one."""

    node: ClassVar = Node.GET_DATA_NEEDS
    invitation: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """Notifies a collective of a household's grant."""

    node: ClassVar = Node.GRANT
    permission: Permission


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Notifies a collective of a household's withdrawal, and whether to erase its records."""

    node: ClassVar = Node.WITHDRAW
    permission: str
    erase: bool = True


@dataclass(frozen=True, slots=True)
class Terminate:
    """Notifies a household that a collective ends a permission."""

    node: ClassVar = Node.TERMINATE
    permission: str


@dataclass(frozen=True, slots=True)
class GetExport:
    """Asks a collective for a part of all data about the asker."""

    node: ClassVar = Node.GET_EXPORT
    part: int = 1


@dataclass(frozen=True, slots=True)
class VerifyReports:
    """Asks a witness to verify masked reports whose sums it is to open."""

    node: ClassVar = Node.VERIFY_REPORTS
    verification: VerificationRequest


@dataclass(frozen=True, slots=True)
class OpenSums:
    """Asks a witness to open sums of the masked reports that it has verified."""

    node: ClassVar = Node.OPEN_SUMS
    opening: Opening


type Request = (
    GetHistory
    | Subscribe
    | Unsubscribe
    | ListSeries
    | GetDataNeeds
    | Grant
    | Withdraw
    | Terminate
    | GetExport
    | VerifyReports
    | OpenSums
    | SendLetter
)


@dataclass(frozen=True, slots=True)
class SendLetter:
    """Hands a collective's letter to a household."""

    node: ClassVar = Node.SEND_LETTER
    letter: Letter


@dataclass(frozen=True, slots=True)
class ToFill:
    """Asks for the form to fill in."""

    command: Command


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Cancels a command, whose form stays unsent."""

    command: Command


def read(command: Element) -> Request | ToFill | Cancelled:
    """Read a `<command>`. Raises `Malformed`, and nothing else."""
    check_depth(command)
    asked = Reader(command, "command").expect(COMMAND)
    command_type = COMMANDS[asked.choice("node", Node)]
    action = command.get("action") or _ACTIONS[0]
    if action == _CANCEL:
        return Cancelled(command_type)
    if action not in _ACTIONS:
        wanted = ", ".join((*_ACTIONS, _CANCEL))
        raise Malformed(asked.at("action"), Problem.NOT_A_CHOICE, found=action, wanted=wanted)
    if not command_type.fields:
        return _without_form(command_type.node, asked)
    form = command.find(FORM)
    if form is None:
        return ToFill(command_type)
    place = f"command/{command_type.node}"
    kind = forms.read_type(form, place)
    if kind is FormType.CANCEL:
        return Cancelled(command_type)
    if kind is not FormType.SUBMIT:
        raise Malformed(f"{place}@type", Problem.NOT_A_CHOICE, found=kind, wanted=FormType.SUBMIT)
    return _filled(command_type.node, forms.read_values(form, place), place)


def write(request: Request) -> Element:
    """Return the `<command>` that asks."""
    command = Element(COMMAND, {"node": request.node, "action": "execute"})
    values: dict[str, str | None] = {}
    match request:
        case GetHistory(series, start, end):
            values = {
                Var.IDENTIFIER: str(series),
                Var.START: None if start is None else iso8601.shown(start),
                Var.END: None if end is None else iso8601.shown(end),
            }
        case Subscribe(series) | Unsubscribe(series):
            values = {Var.IDENTIFIER: str(series)}
        case GetDataNeeds(invitation):
            if invitation is not None:
                command.append(write_invitation(invitation))
        case Grant(permission):
            command.append(write_permission(permission))
        case Withdraw(permission_id, erase):
            values = {Var.PERMISSION: permission_id, Var.ERASE: str(erase).lower()}
        case Terminate(permission_id):
            values = {Var.PERMISSION: permission_id}
        case GetExport(part):
            values = {Var.PART: str(part)}
        case VerifyReports(verification):
            command.append(write_verification(verification))
        case OpenSums(opening):
            command.append(write_opening(opening))
        case SendLetter(letter):
            command.append(write_letter(letter))
        case ListSeries():
            pass
    if values:
        command.append(forms.submit(COMMANDS[request.node].fields, values))
    return command


def _without_form(node: Node, asked: Reader) -> Request:
    match node:
        case Node.GRANT:
            return Grant(read_permission(asked.only(PERMISSION).element))
        case Node.GET_DATA_NEEDS:
            return GetDataNeeds(read_invitation(asked.element))
        case Node.VERIFY_REPORTS:
            return VerifyReports(read_verification(asked.only(VERIFICATION).element))
        case Node.OPEN_SUMS:
            return OpenSums(read_opening(asked.only(OPENING).element))
        case Node.SEND_LETTER:
            return SendLetter(read_letter(asked.only(LETTER).element))
        case _:
            return ListSeries()


def _filled(node: Node, values: Mapping[str, str], place: str) -> Request:
    match node:
        case Node.GET_HISTORY:
            return _history(values, place)
        case Node.SUBSCRIBE:
            return Subscribe(_identifier(values, place))
        case Node.UNSUBSCRIBE:
            return Unsubscribe(_identifier(values, place))
        case Node.WITHDRAW:
            erase = forms.boolean(values.get(Var.ERASE, "true"), f"{place}/{Var.ERASE}")
            return Withdraw(_permission(values, place), erase)
        case Node.GET_EXPORT:
            return GetExport(whole_number(values.get(Var.PART, "1"), f"{place}/{Var.PART}", 1))
        case _:
            return Terminate(_permission(values, place))


def _history(values: Mapping[str, str], place: str) -> GetHistory:
    series = _identifier(values, place)
    start, end = (
        iso8601.moment(values[var], f"{place}/{var}") if var in values else None
        for var in (Var.START, Var.END)
    )
    if start and end and end < start:
        raise Malformed(f"{place}/{Var.END}", Problem.BACKWARDS, found=end, wanted=start)
    return GetHistory(series, start, end)


def _identifier(values: Mapping[str, str], place: str) -> Identifier:
    sent = forms.required(values, Var.IDENTIFIER, place)
    return identifier(sent, f"{place}/{Var.IDENTIFIER}")


def _permission(values: Mapping[str, str], place: str) -> str:
    sent = forms.required(values, Var.PERMISSION, place)
    return uuid(sent, f"{place}/{Var.PERMISSION}")
