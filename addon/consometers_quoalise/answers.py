"""What a node answers to a command: a form to fill in, or success and what was asked for.

    <command xmlns="http://jabber.org/protocol/commands" node="get_history" status="completed">
      <x xmlns="jabber:x:data" type="result">…</x>
      <quoalise xmlns="urn:quoalise:0">…</quoalise>
    </command>

What comes with success: `get_history` a `<quoalise>`, `get_data_needs` a `<data-needs>`, `grant`,
`withdraw` and `terminate` a `<receipt>`, `get_export` an `<export>`, `verify_reports` a
`<verified>`, `open_sums` an `<opened>`, `send_letter` nothing; `list_series` a table in the form
itself, which a chat client shows. A refusal is a stanza error: see `stanza_errors`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
import re
from xml.etree.ElementTree import Element

from . import iso8601
from .commands import Command, Node
from .elements import forms
from .elements.forms import FORM, Column
from .elements.markup import check_depth
from .elements.reading import Reader, whole_number
from .errors import Malformed
from .federation import challenge
from .federation.challenge import Challenge
from .iso8601 import Duration
from .problems import Problem
from .records.identifier import Identifier, identifier
from .requests import COMMAND
from .words import Words

COMPLETED = "completed"
EXECUTING = "executing"
CANCELED = "canceled"
"""As XEP-0050 spells it."""
_NAMES = Words()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Shares of the panels that a series measures: the asker holds so many of the total."""

    name: str
    held: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """A collective's prices of a kWh, in euro cents: from a member, from the grid."""

    local: Decimal
    grid: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A series that the asker may read: its interval, its unit, its first and its last record.

    `device` is the type of its device: the `production` of a meter is what it injects.

    What is not known, or what there is none of, is None: `shares`, `prices` and
    `challenge` too, of most series.
    """

    series: Identifier
    interval: Duration | None = None
    unit: str | None = None
    first: datetime | None = None
    last: datetime | None = None
    device: str | None = None
    shares: Shares | None = None
    prices: Prices | None = None
    challenge: Challenge | None = None


def _price(sent: str, place: str) -> Decimal:
    if not _PRICE.fullmatch(sent):
        raise Malformed(place, Problem.NOT_A_PRICE, found=sent)
    return Decimal(sent)


_PRICE = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3})?")
_SHARES = (
    Column("name", "name", forms.words),
    Column("shares", "held", whole_number),
    Column("total_shares", "total", forms.number),
)
_PRICES = (
    Column("local_price", "local", _price),
    Column("grid_price", "grid", _price),
)

_PARTS: Mapping[str, tuple[Column, ...]] = {
    "shares": _SHARES,
    "prices": _PRICES,
    "challenge": challenge.COLUMNS,
}
_COLUMNS = ("identifier", "interval", "unit", "first", "last", "device")
COLUMNS = (*_COLUMNS, *(column.var for columns in _PARTS.values() for column in columns))
"""All columns of the answer to `list_series`."""


def to_fill(
    command: Command,
    session: str,
    words: Words = _NAMES,
    values: Mapping[str, str] | None = None,
) -> Element:
    """Return the answer to a command asked with no form: the form, with `values` in it by `var`."""
    answer = _answer(command.node, EXECUTING, session)
    title = words.title(command.node)
    answer.append(
        forms.to_fill(title, command.fields, words.label, words.description, values or {})
    )
    return answer


def cancelled(command: Command, session: str | None = None) -> Element:
    """Return the answer to a cancelled command."""
    return _answer(command.node, CANCELED, session)


def completed(
    node: Node,
    about: str = "",
    *,
    payload: Element | None = None,
    session: str | None = None,
    words: Words = _NAMES,
) -> Element:
    """Return the answer to a successful command; `about` names its subject, for people."""
    answer = _answer(node, COMPLETED, session)
    title = words.title(node)
    answer.append(forms.result(title, f"{title} {about}".rstrip()))
    if payload is not None:
        answer.append(payload)
    return answer


def listed(
    series: Iterable[Listed], *, session: str | None = None, words: Words = _NAMES
) -> Element:
    """Return the answer to `list_series`."""
    answer = _answer(Node.LIST_SERIES, COMPLETED, session)
    rows = list(series)
    more = (
        column.var
        for part, columns in _PARTS.items()
        if any(getattr(row, part) is not None for row in rows)
        for column in columns
    )
    title = words.title(Node.LIST_SERIES)
    answer.append(forms.table(title, (*_COLUMNS, *more), map(row, rows), words.column))
    return answer


def read_completed(answer: Element) -> Reader:
    """Read the `<command>` of an answer. Raises `Malformed` if it is not completed."""
    command = Reader(answer, "command").expect(COMMAND)
    status = command.text("status")
    if status != COMPLETED:
        raise Malformed(command.at("status"), Problem.NOT_A_CHOICE, found=status, wanted=COMPLETED)
    return command


def payload(answer: Element, name: str) -> Element:
    """Return the payload of a successful command: the one element of that name.

    Raises `Malformed` if the command is not completed, and if there is no such element.
    """
    return read_completed(answer).only(name).element


def read_listed(answer: Element) -> tuple[Listed, ...]:
    """Read the answer to `list_series`. Raises `Malformed`."""
    check_depth(answer)
    form = read_completed(answer).only(FORM)
    return tuple(
        _listed(row, f"{form.place}/item[{number}]")
        for number, row in enumerate(forms.read_rows(form.element, form.place), 1)
    )


def _answer(node: Node, status: str, session: str | None) -> Element:
    attributes = {"node": node, "status": status}
    if session is not None:
        attributes["sessionid"] = session
    return Element(COMMAND, attributes)


def row(listed: Listed) -> dict[str, str | None]:
    """Return a row of the answer to `list_series`, by `COLUMNS`."""
    row: dict[str, str | None] = {
        "identifier": str(listed.series),
        "interval": None if listed.interval is None else str(listed.interval),
        "unit": listed.unit,
        "first": None if listed.first is None else iso8601.shown(listed.first),
        "last": None if listed.last is None else iso8601.shown(listed.last),
        "device": listed.device,
    }
    row |= forms.row(_SHARES, listed.shares) | forms.row(_PRICES, listed.prices)
    return row if listed.challenge is None else row | challenge.row(listed.challenge)


def _listed(row: Mapping[str, str], place: str) -> Listed:
    first, last = (
        iso8601.moment(row[var], f"{place}/{var}") if var in row else None
        for var in ("first", "last")
    )
    interval = row.get("interval")
    return Listed(
        series=identifier(forms.required(row, "identifier", place), f"{place}/identifier"),
        interval=None if interval is None else iso8601.duration(interval, f"{place}/interval"),
        unit=row.get("unit"),
        first=first,
        last=last,
        device=row.get("device"),
        shares=Shares(**forms.read_row(_SHARES, row, place)) if "total_shares" in row else None,
        prices=Prices(**forms.read_row(_PRICES, row, place)) if "local_price" in row else None,
        challenge=challenge.read(row, place) if challenge.CHALLENGE in row else None,
    )
