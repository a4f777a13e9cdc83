"""What records are of: the known parts typed, the unknown ones kept."""

from xml.etree.ElementTree import Comment

import pytest

from consometers_quoalise import (
    Data,
    DeviceIdentifier,
    DeviceType,
    Direction,
    Duration,
    Fragment,
    Measurement,
    MeasuringDevice,
    Metadata,
    SeriesPath,
    UnknownContent,
    describe,
)
from consometers_quoalise.records import data
from consometers_quoalise.records.identifier import identifier, organisation, series

from .samples import EXAMPLE, POWER, element, message

OF_EXAMPLE = Metadata(
    device=MeasuringDevice(
        type="electricity-meter",
        identifier=DeviceIdentifier(authority="enedis", type="prm", value="30001610071843"),
    ),
    measurement=Measurement(
        name="active-power",
        direction="consumption",
        quantity="power",
        type="electrical",
        unit="W",
        aggregation="mean",
        sampling_interval=Duration(seconds=1800),
    ),
)


def test_the_public_example_is_read_and_written_byte_for_byte() -> None:
    read = data.decode(EXAMPLE.encode())
    assert read.metadata == describe(identifier(POWER), Duration(seconds=1800)) == OF_EXAMPLE
    lines = (line.strip() for line in EXAMPLE.splitlines())
    assert data.encode(read).decode() == "".join(lines)


def test_empty_metadata_is_read_and_written() -> None:
    assert data.decode(message("")).metadata == Metadata()
    assert data.encode(Data()) == message("").replace(
        b'<sensml xmlns="urn:ietf:params:xml:ns:senml"></sensml>',
        b'<sensml xmlns="urn:ietf:params:xml:ns:senml"/>',
    )


def test_the_older_form_of_a_measurement_is_preserved() -> None:
    meta = (
        "<meta><measurement>"
        '<physical quantity="power" type="electrical" unit="W"/><sampling interval="1800"/>'
        "</measurement></meta>"
    )
    metadata = data.decode(message("", meta)).metadata
    assert metadata.measurement == Measurement(
        unknown=UnknownContent(
            children=(
                Fragment(
                    "{urn:quoalise:0}physical",
                    {"quantity": "power", "type": "electrical", "unit": "W"},
                ),
                Fragment("{urn:quoalise:0}sampling", {"interval": "1800"}),
            )
        )
    )
    assert meta.encode() in data.encode(Data(metadata))


def test_unknown_parts_are_preserved() -> None:
    meta = (
        '<meta version="2" xmlns:o="urn:example:other" o:mark="a&amp;b">'
        '<device type="electricity-meter" room="cellar"><maker>x</maker></device>'
        '<measurement corrected="true"/><measurement name="another"/>'
        '<place xmlns="urn:example:other" xml:lang="fr">près de <b>là</b>, en bas</place></meta>'
    )
    metadata = data.decode(message("", meta)).metadata
    assert metadata.device is not None
    assert metadata.device.unknown == UnknownContent(
        attributes={"room": "cellar"}, children=(Fragment("{urn:quoalise:0}maker", text="x"),)
    )
    assert metadata.measurement is not None
    assert metadata.measurement.unknown.attributes == {"corrected": "true"}
    assert metadata.unknown.attributes == {"version": "2", "{urn:example:other}mark": "a&b"}
    sent = data.encode(Data(metadata))
    assert data.decode(sent).metadata == metadata
    assert "près de <b>là</b>, en bas</place>".encode() in sent


def test_comments_are_dropped() -> None:
    parsed = element(message("", "<meta><device/></meta>"))
    meta = parsed.find(".//{urn:quoalise:0}meta")
    assert meta is not None
    meta.append(Comment("x"))
    assert data.read(parsed).metadata == Metadata(device=MeasuringDevice())


@pytest.mark.parametrize(
    ("path", "name", "unit", "aggregation"),
    [
        (SeriesPath.POWER, "active-power", "W", "mean"),
        (SeriesPath.ENERGY_DAILY, "energy", "Wh", "sum"),
        (SeriesPath.ENERGY_INDEX, "active-energy-index", "Wh", None),
        (SeriesPath.LOWER_QUARTILE, "energy", "Wh", "lower-quartile"),
        (SeriesPath.MEDIAN, "energy", "Wh", "median"),
        (SeriesPath.UPPER_QUARTILE, "energy", "Wh", "upper-quartile"),
        (f"{SeriesPath.POWER}/{SeriesPath.MEMBERS}", "members", "count", None),
        (f"{SeriesPath.ENERGY_DAILY}/{SeriesPath.MEMBERS}", "members", "count", None),
        ("voltage", None, None, None),
    ],
)
def test_the_path_names_the_measurement(
    path: str, name: str | None, unit: str | None, aggregation: str | None
) -> None:
    collective = organisation("exemple")
    name_of_series = series(collective, Direction.INJECTION, path)
    metadata = describe(name_of_series, Duration(days=1), DeviceType.COLLECTIVE)
    assert metadata.device == MeasuringDevice(
        type="collective", identifier=DeviceIdentifier(type="org", value="60060-exemple")
    )
    measurement = metadata.measurement
    assert measurement is not None
    assert measurement.direction == "injection"
    assert (measurement.name, measurement.unit, measurement.aggregation) == (
        name,
        unit,
        aggregation,
    )
