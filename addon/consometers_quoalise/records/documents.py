"""A history as a document for other programs: JSON, CSV, XML."""

from collections.abc import Mapping, Sequence
import csv
import json
from types import SimpleNamespace
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element, SubElement

from consometers_quoalise.elements.markup import local, serialise, tag
from consometers_quoalise.iso8601 import utc

from . import senml
from .data import QUOALISE
from .history import History
from .metadata import NAMESPACE, write
from .senml import Records

type Json = bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None

CSV_HEADER = ("time", "value", "unit", "identifier")


class MetadataChanges(ValueError):
    """A `<quoalise>` has one description of its records: `history.changed` is when it changes."""


def as_json(history: History) -> dict[str, Json]:
    """Return the history as one object; series that came beside the one asked for are `others`."""
    first, *others = map(_series, history.records or (Records(str(history.asked), None, {}),))
    records = first.pop("records")
    changed = {"metadata_since": utc(history.changed)} if history.changed else {}
    beside: dict[str, Json] = {"others": others} if others else {}
    return {
        **first,
        "from": history.peer,
        "start": utc(history.start),
        "end": utc(history.end),
        "metadata": _object(write(history.metadata)),
        **changed,
        "records": records,
        **beside,
    }


def json_bytes(history: History) -> bytes:
    """Return the bytes of `as_json`."""
    return (json.dumps(as_json(history), ensure_ascii=False, indent=2) + "\n").encode()


def csv_bytes(history: History) -> bytes:
    """Return a line for each record, under one header whatever the series."""
    lines: list[str] = []
    writer = csv.writer(SimpleNamespace(write=lines.append), lineterminator="\n")
    writer.writerow(CSV_HEADER)
    for series in history.records:
        writer.writerows(
            (utc(time), value, series.unit or "", series.name)
            for time, value in series.values.items()
        )
    return "".join(lines).encode()


def xml_bytes(history: History) -> bytes:
    """Return one `<quoalise>`, which may hold more records than an answer.

    Raises `MetadataChanges`.
    """
    if history.changed:
        raise MetadataChanges
    quoalise = Element(QUOALISE)
    holder = SubElement(quoalise, tag(NAMESPACE, "data"))
    holder.append(write(history.metadata))
    holder.append(senml.write(history.records))
    ET.indent(quoalise)
    return serialise(quoalise, None) + b"\n"


def _series(series: Records) -> dict[str, Json]:
    records: list[Json] = [
        {"time": utc(time), "value": value} for time, value in series.values.items()
    ]
    return {"identifier": series.name, "unit": series.unit, "records": records}


def _object(element: Element) -> dict[str, Json]:
    fields: dict[str, Json] = dict(element.attrib)
    for child in element:
        fields.setdefault(local(child.tag), _object(child))
    return fields
