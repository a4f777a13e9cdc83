"""Data forms (XEP-0004): empty forms, filled-in ones, tables of answers.

    <x xmlns="jabber:x:data" type="submit">
      <field var="identifier" type="text-single"><value>urn:dev:…</value></field>
    </x>

Forms of type `form` and `result` carry labels for people: the caller has them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, SubElement

from consometers_quoalise.errors import Malformed
from consometers_quoalise.problems import Problem

from .markup import tag
from .reading import bounded, check_count, whole_number

NAMESPACE = "jabber:x:data"
FORM = tag(NAMESPACE, "x")
_TITLE = tag(NAMESPACE, "title")
_FIELD = tag(NAMESPACE, "field")
_VALUE = tag(NAMESPACE, "value")
_DESCRIPTION = tag(NAMESPACE, "desc")
_REQUIRED = tag(NAMESPACE, "required")
_REPORTED = tag(NAMESPACE, "reported")
_ITEM = tag(NAMESPACE, "item")
_TRUE_FALSE = {"true": True, "1": True, "false": False, "0": False}


class FieldType(StrEnum):
    """Kinds of fields in use. Source: XEP-0004 §3.3."""

    BOOLEAN = "boolean"
    FIXED = "fixed"
    TEXT = "text-single"


class FormType(StrEnum):
    """The type of a form. Source: XEP-0004 §3.1."""

    CANCEL = "cancel"
    FORM = "form"
    RESULT = "result"
    SUBMIT = "submit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a form."""

    var: str
    type: FieldType = FieldType.TEXT
    required: bool = False
    default: str | None = None


class Column(NamedTuple):
    """A column of a table, the attribute that it holds of a record, and how that is read."""

    var: str
    attribute: str
    read: Callable[[str, str], object]


def to_fill(
    title: str,
    fields: Iterable[Field],
    label: Callable[[str], str],
    description: Callable[[str], str | None],
    values: Mapping[str, str],
) -> Element:
    """Return a form to fill in; `values` stand in it already, by `var`, before the defaults."""
    form = _form(FormType.FORM, title)
    for field in fields:
        element = _field(form, field.var, label, field.type)
        if described := description(field.var):
            SubElement(element, _DESCRIPTION).text = described
        if field.required:
            SubElement(element, _REQUIRED)
        value = values.get(field.var, field.default)
        if value is not None:
            SubElement(element, _VALUE).text = value
    return form


def submit(fields: Iterable[Field], values: Mapping[str, str | None]) -> Element:
    """Return a form that is filled in. A field without a value is left out."""
    form = _form(FormType.SUBMIT)
    for field in fields:
        value = values.get(field.var)
        if value is not None:
            element = SubElement(form, _FIELD, {"var": field.var, "type": field.type})
            SubElement(element, _VALUE).text = value
    return form


def result(title: str, label: str) -> Element:
    """Return the form of a successful command, as existing programs send it."""
    form = _form(FormType.RESULT, title)
    field = {"var": "result", "type": FieldType.FIXED, "label": label}
    SubElement(SubElement(form, _FIELD, field), _VALUE).text = "Success"
    return form


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Mapping[str, str | None]],
    label: Callable[[str], str],
) -> Element:
    """Return a result of several rows (XEP-0004 §3.4), whose columns are named by their `var`.

    A cell without a value is left out.
    """
    form = _form(FormType.RESULT, title)
    reported = SubElement(form, _REPORTED)
    for var in columns:
        _field(reported, var, label)
    for row in rows:
        item = SubElement(form, _ITEM)
        for var in columns:
            value = row.get(var)
            if value is not None:
                cell = SubElement(item, _FIELD, {"var": var})
                SubElement(cell, _VALUE).text = value
    return form


def read_type(form: Element, place: str) -> FormType:
    """Read the type of a form. Raises `Malformed`."""
    kind = form.get("type", "")
    if kind not in FormType:
        wanted = ", ".join(FormType)
        raise Malformed(f"{place}@type", Problem.NOT_A_CHOICE, found=kind, wanted=wanted)
    return FormType(kind)


def read_rows(form: Element, place: str) -> list[dict[str, str]]:
    """Read the rows of a table, each by column. Raises `Malformed`."""
    items = form.findall(_ITEM)
    check_count(items, _ITEM, place)
    return [read_values(item, f"{place}/item[{n}]") for n, item in enumerate(items, 1)]


def read_values(form: Element, place: str) -> dict[str, str]:
    """Read the filled-in fields, by `var`, without the white space around them.

    Fields that are empty are left out: chat clients send back every field. Raises `Malformed` on
    a field that comes twice, has several values or is longer than `bounds` has it.
    """
    values: dict[str, str] = {}
    seen: set[str] = set()
    for field in form.findall(_FIELD):
        var = field.get("var", "")
        if var in seen:
            raise Malformed(f"{place}/{var}", Problem.TWO_FIELDS)
        seen.add(var)
        sent = field.findall(_VALUE)
        if len(sent) > 1:
            raise Malformed(f"{place}/{var}", Problem.TWO_VALUES, found=len(sent))
        if sent and sent[0].text and not sent[0].text.isspace():
            values[var] = bounded(sent[0].text, var, f"{place}/{var}")
    return values


def row(columns: Iterable[Column], record: object) -> dict[str, str | None]:
    """Return the cells of a record; none if there is no record."""
    if record is None:
        return {}
    values = {column.var: getattr(record, column.attribute) for column in columns}
    return {
        var: f"{value:f}" if isinstance(value, Decimal) else str(value)
        for var, value in values.items()
    }


def read_row(columns: Iterable[Column], values: Mapping[str, str], place: str) -> dict[str, Any]:
    """Return the attributes of the record in a row. Raises `Malformed`."""
    return {
        column.attribute: column.read(required(values, column.var, place), f"{place}/{column.var}")
        for column in columns
    }


def words(sent: str, _place: str) -> str:
    """Read a cell of words: as they are."""
    return sent


def number(sent: str, place: str) -> int:
    """Read a cell with a number from one on. Raises `Malformed`."""
    return whole_number(sent, place, 1)


def required(values: Mapping[str, str], var: str, place: str) -> str:
    """Return the value of a field that must have one. Raises `Malformed`."""
    if var not in values:
        raise Malformed(f"{place}/{var}", Problem.NO_FIELD)
    return values[var]


def boolean(sent: str, place: str) -> bool:
    """Read a value of a boolean field. Raises `Malformed`."""
    if sent not in _TRUE_FALSE:
        raise Malformed(place, Problem.NOT_A_BOOLEAN, found=sent)
    return _TRUE_FALSE[sent]


def _form(kind: FormType, title: str | None = None) -> Element:
    form = Element(FORM, {"type": kind})
    if title is not None:
        SubElement(form, _TITLE).text = title
    return form


def _field(
    parent: Element, var: str, label: Callable[[str], str], kind: FieldType = FieldType.TEXT
) -> Element:
    return SubElement(parent, _FIELD, {"var": var, "type": kind, "label": label(var)})
