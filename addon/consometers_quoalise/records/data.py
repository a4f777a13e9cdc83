"""The `<quoalise>` that peers send each other: the measurement, and its records.

    <quoalise xmlns="urn:quoalise:0">
      <data><meta/><sensml xmlns="urn:ietf:params:xml:ns:senml"/></data>
    </quoalise>

`metadata` knows the first child of `<data>`, `senml` the second. Both always stand there.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement

from consometers_quoalise.elements.markup import check_depth, parse, serialise, tag
from consometers_quoalise.elements.reading import Reader
from consometers_quoalise.errors import Malformed
from consometers_quoalise.problems import Problem

from . import metadata as meta, senml
from .metadata import NAMESPACE, Metadata
from .senml import MAX_RECORDS, Records

QUOALISE = tag(NAMESPACE, "quoalise")
_DATA = tag(NAMESPACE, "data")


@dataclass(frozen=True, slots=True)
class Data:
    """Records, and their metadata."""

    metadata: Metadata = field(default_factory=Metadata)
    records: tuple[Records, ...] = ()

    def __len__(self) -> int:
        """Count the records."""
        return sum(len(records.values) for records in self.records)

    def within(self, start: datetime, end: datetime) -> Data:
        """Return only the records of start ≤ time < end."""
        first, last = start.timestamp(), end.timestamp()
        if all(first <= at < last for records in self.records for at in records.values):
            return self
        records = (
            replace(series, values={at: v for at, v in series.values.items() if first <= at < last})
            for series in self.records
        )
        return replace(self, records=tuple(part for part in records if part.values))


def decode(document: bytes, most: int = MAX_RECORDS) -> Data:
    """Read the bytes of a `<quoalise>`. Raises `Malformed`, and nothing else."""
    return _read(parse(document), most)


def read(quoalise: Element, most: int = MAX_RECORDS) -> Data:
    """Read a `<quoalise>` that was parsed already. Raises `Malformed`, and nothing else."""
    check_depth(quoalise)
    return _read(quoalise, most)


def encode(data: Data) -> bytes:
    """Return the bytes of a `<quoalise>`. Raises `Malformed` if they are too many."""
    return serialise(write(data))


def write(data: Data) -> Element:
    """Return the `<quoalise>`. Raises `Malformed` on more records than an answer may have."""
    if len(data) > MAX_RECORDS:
        raise Malformed("data", Problem.TOO_MANY_RECORDS, found=len(data), most=MAX_RECORDS)
    quoalise = Element(QUOALISE)
    element = SubElement(quoalise, _DATA)
    element.append(meta.write(data.metadata))
    element.append(senml.write(data.records))
    return quoalise


def _read(quoalise: Element, most: int) -> Data:
    data = Reader(quoalise, "quoalise").expect(QUOALISE).only(_DATA)
    described, measured = data.only(meta.META), data.only(senml.SENSML)
    return Data(
        meta.read(described.element, described.place),
        senml.read(measured.element, measured.place, most),
    )
