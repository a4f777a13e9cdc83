"""A history as a document: JSON, CSV, XML, or text for people."""

import csv
import io
import json
from typing import Literal
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element, SubElement

from consometers_node.i18n.text import text
from consometers_quoalise import Duration, Metadata, Number, Records, data, senml
from consometers_quoalise.markup import local as local_name, serialise, tag
from consometers_quoalise.metadata import NAMESPACE, write as write_metadata

from ..core.errors import CliError
from ..core.output import Columns, Json, Output
from ..core.times import local, utc
from .history import History

Format = Literal["json", "csv", "xml"]
CSV_HEADER = ("time", "value", "unit", "identifier")
SHOWN = 60
"""Rows of a table; of a longer one, the first and the last."""

_CHANGES = text(
    "The description of the records changes at {time}, and a <quoalise> element has only one:"
    " request XML up to that time, then from that time, or request JSON."
)
_COLUMNS: Columns[tuple[str, Number | None, str | None]] = {
    text("Start of the interval"): lambda row: row[0],
    text("Value"): lambda row: row[1],
    text("Unit"): lambda row: row[2],
}
_NONE = text("{peer} has no record of {series} from {start} to {end}.")
_SUMMARY = text(
    "{count} records of {series}, from {first} to {last}: lowest {low}, mean {mean}, highest {high}"
    " {unit}."
)
_HOLES = text("Missing in between: {missing} (one record expected every {interval}).")
_LEFT_OUT = text("{count} are not shown: --format csv --output FILE has all of them.")


def document(history: History, wanted: Format) -> bytes:
    """Return the bytes of the whole history. Raises a `CliError` if XML cannot say it."""
    match wanted:
        case "json":
            written = json.dumps(as_json(history), ensure_ascii=False, indent=2) + "\n"
            return written.encode()
        case "csv":
            return as_csv(history).encode()
        case "xml":
            return as_xml(history)


def as_json(history: History) -> dict[str, Json]:
    """Return the history as one object; series that came beside the one asked for are `others`."""
    first, *others = map(_series, history.records or (Records(str(history.asked), None, {}),))
    records = first.pop("records")
    changed = {"metadata_since": utc(history.changed.timestamp())} if history.changed else {}
    beside: dict[str, Json] = {"others": others} if others else {}
    return {
        **first,
        "from": history.peer,
        "start": utc(history.start.timestamp()),
        "end": utc(history.end.timestamp()),
        "metadata": _object(write_metadata(history.metadata)),
        **changed,
        "records": records,
        **beside,
    }


def as_csv(history: History) -> str:
    """Return a line for each record, under one header whatever the series."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(CSV_HEADER)
    for series in history.records:
        writer.writerows(
            (utc(time), value, series.unit or "", series.name)
            for time, value in series.values.items()
        )
    return written.getvalue()


def as_xml(history: History) -> bytes:
    """Return one `<quoalise>`, which may hold more records than an answer."""
    if history.changed:
        raise CliError("metadata-changes", _CHANGES.fill(time=utc(history.changed.timestamp())))
    quoalise = Element(data.QUOALISE)
    holder = SubElement(quoalise, tag(NAMESPACE, "data"))
    holder.append(write_metadata(history.metadata))
    holder.append(senml.write(history.records))
    ET.indent(quoalise)
    return serialise(quoalise, None) + b"\n"


def show(history: History, output: Output) -> None:
    """Print the history for people."""
    start, end = local(history.start), local(history.end)
    for series in history.records:
        rows: list[tuple[str, Number | None, str | None]] = [
            (local(time), value, series.unit) for time, value in series.values.items()
        ]
        left_out = len(rows) - SHOWN
        if left_out > 0:
            rows[SHOWN // 2 : -SHOWN // 2] = [("…", None, None)]
        output.table(_COLUMNS, rows)
        output.say(_summary(series, output))
        if missing := _holes(series, history.metadata):
            interval = _interval(history.metadata)
            output.say(_HOLES, missing=missing, interval=interval)
        if left_out > 0:
            output.say(_LEFT_OUT, count=left_out)
    if not len(history):
        output.say(_NONE, peer=history.peer, series=history.asked, start=start, end=end)


def _summary(series: Records, output: Output) -> str:
    times, values = list(series.values), list(series.values.values())
    return output.translated(
        _SUMMARY,
        count=len(values),
        series=series.name,
        first=local(times[0]),
        last=local(times[-1]),
        low=min(values),
        high=max(values),
        mean=round(sum(values) / len(values), 1),
        unit=series.unit or "",
    )


def _interval(metadata: Metadata) -> Duration | None:
    return metadata.measurement.sampling_interval if metadata.measurement else None


def _holes(series: Records, metadata: Metadata) -> int:
    """Count the records missing between the first and the last, of intervals of equal length."""
    interval = _interval(metadata)
    if interval is None or interval != Duration(seconds=interval.seconds) or not interval.seconds:
        return 0
    times = list(series.values)
    return max(0, int((times[-1] - times[0]) // interval.seconds) + 1 - len(times))


def _series(series: Records) -> dict[str, Json]:
    records: list[Json] = [
        {"time": utc(time), "value": value} for time, value in series.values.items()
    ]
    return {"identifier": series.name, "unit": series.unit, "records": records}


def _object(element: Element) -> dict[str, Json]:
    fields: dict[str, Json] = dict(element.attrib)
    for child in element:
        fields.setdefault(local_name(child.tag), _object(child))
    return fields
