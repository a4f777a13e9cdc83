"""What records are of: the device and the measurement in `<meta>`.

    <meta>
      <device type="electricity-meter">
        <identifier authority="enedis" type="prm" value="30001610071843"/>
      </device>
      <measurement name="active-power" direction="consumption" quantity="power" type="electrical"
                   unit="W" aggregation="mean" sampling-interval="PT30M"/>
    </meta>

An empty `<meta/>` is legal. Attributes and elements that are not known here are kept and sent on.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from xml.etree.ElementTree import Element

from consometers_quoalise import bounds
from consometers_quoalise.elements import fragment
from consometers_quoalise.elements.fragment import Attributes, Fragment
from consometers_quoalise.elements.markup import tag
from consometers_quoalise.errors import Malformed
from consometers_quoalise.iso8601 import Duration, duration
from consometers_quoalise.problems import Problem

from .identifier import Identifier, SeriesPath

NAMESPACE = "urn:quoalise:0"
META = tag(NAMESPACE, "meta")
_DEVICE = tag(NAMESPACE, "device")
_IDENTIFIER = tag(NAMESPACE, "identifier")
_MEASUREMENT = tag(NAMESPACE, "measurement")


class DeviceType(StrEnum):
    """The kind of device. A peer may send another word."""

    METER = "electricity-meter"
    INVERTER = "inverter"
    """Panels behind a meter: their energy is `production`."""
    COLLECTIVE = "collective"
    """Sums of members."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownContent:
    """The unknown parts of an element."""

    attributes: Attributes = field(default_factory=dict)
    children: tuple[Fragment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceIdentifier:
    """Who named a device (`enedis`), which kind of name (`prm`), and the name."""

    authority: str | None = None
    type: str | None = None
    value: str | None = None
    unknown: UnknownContent = UnknownContent()


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuringDevice:
    """The device; `type` is a `DeviceType` or a peer's own word."""

    type: str | None = None
    identifier: DeviceIdentifier | None = None
    unknown: UnknownContent = UnknownContent()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """The measurement, in words of the peer; usual ones are in `MEASUREMENTS`."""

    name: str | None = None
    direction: str | None = None
    quantity: str | None = None
    type: str | None = None
    unit: str | None = None
    aggregation: str | None = None
    sampling_interval: Duration | None = None
    unknown: UnknownContent = UnknownContent()


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The metadata of a message's records."""

    device: MeasuringDevice | None = None
    measurement: Measurement | None = None
    unknown: UnknownContent = UnknownContent()


_ENERGY = Measurement(name="energy", quantity="energy", type="electrical", unit="Wh")
MEASUREMENTS = {
    SeriesPath.POWER: Measurement(
        name="active-power", quantity="power", type="electrical", unit="W", aggregation="mean"
    ),
    SeriesPath.ENERGY_DAILY: replace(_ENERGY, aggregation="sum"),
    SeriesPath.ENERGY_INDEX: replace(_ENERGY, name="active-energy-index"),
    SeriesPath.LOWER_QUARTILE: replace(_ENERGY, aggregation="lower-quartile"),
    SeriesPath.MEDIAN: replace(_ENERGY, aggregation="median"),
    SeriesPath.UPPER_QUARTILE: replace(_ENERGY, aggregation="upper-quartile"),
}
"""By the path after its direction."""
COUNT = "count"
"""The unit of how many, in the registry of SenML."""


def describe(
    series: Identifier, interval: Duration | None, type: str = DeviceType.METER
) -> Metadata:
    """Return the metadata of a series of ours."""
    device = series.device
    named = DeviceIdentifier(
        authority="enedis" if device.delivery_point else None,
        type=device.subtype,
        value=device.body,
    )
    usual = MEASUREMENTS.get(series.quantity, Measurement())
    if series.summed is not None:
        usual = Measurement(name=series.path.rpartition("/")[2], unit=COUNT)
    return Metadata(
        device=MeasuringDevice(type=type, identifier=named),
        measurement=replace(usual, direction=series.direction, sampling_interval=interval),
    )


def read(meta: Element, place: str = "meta") -> Metadata:
    """Read a `<meta>`, whose depth must have been checked. Raises `Malformed`."""
    device, measured = meta.find(_DEVICE), meta.find(_MEASUREMENT)
    others = [child for child in fragment.elements(meta) if child not in (device, measured)]
    return Metadata(
        device=None if device is None else _read_device(device, f"{place}/device"),
        measurement=None
        if measured is None
        else _read_measurement(measured, f"{place}/measurement"),
        unknown=_unknown(meta.attrib, (), others),
    )


def write(metadata: Metadata) -> Element:
    """Return the `<meta>`."""
    meta = Element(META, dict(metadata.unknown.attributes))
    if (device := metadata.device) is not None:
        meta.append(_write_device(device))
    if (measurement := metadata.measurement) is not None:
        interval = measurement.sampling_interval
        attributes = {
            **{name: getattr(measurement, name) for name in _WORDS},
            _INTERVAL: None if interval is None else str(interval),
        }
        meta.append(_element(_MEASUREMENT, attributes, measurement.unknown))
    meta.extend(map(fragment.write, metadata.unknown.children))
    return meta


_WORDS = ("name", "direction", "quantity", "type", "unit", "aggregation")
_INTERVAL = "sampling-interval"
_NAMED = ("authority", "type", "value")


def _read_device(device: Element, place: str) -> MeasuringDevice:
    named = device.find(_IDENTIFIER)
    others = [child for child in fragment.elements(device) if child is not named]
    return MeasuringDevice(
        type=_word(device, "type", place),
        identifier=None if named is None else _read_identifier(named, f"{place}/identifier"),
        unknown=_unknown(device.attrib, ("type",), others),
    )


def _read_identifier(named: Element, place: str) -> DeviceIdentifier:
    return DeviceIdentifier(
        **{name: _word(named, name, place) for name in _NAMED},
        unknown=_unknown(named.attrib, _NAMED, fragment.elements(named)),
    )


def _read_measurement(measurement: Element, place: str) -> Measurement:
    interval = measurement.get(_INTERVAL)
    return Measurement(
        **{name: _word(measurement, name, place) for name in _WORDS},
        sampling_interval=None if interval is None else duration(interval, f"{place}@{_INTERVAL}"),
        unknown=_unknown(measurement.attrib, (*_WORDS, _INTERVAL), fragment.elements(measurement)),
    )


def _write_device(device: MeasuringDevice) -> Element:
    element = _element(_DEVICE, {"type": device.type}, device.unknown)
    if (named := device.identifier) is not None:
        attributes = {name: getattr(named, name) for name in _NAMED}
        element.insert(0, _element(_IDENTIFIER, attributes, named.unknown))
    return element


def _word(element: Element, name: str, place: str) -> str | None:
    """Read a word, which may be missing and may be empty."""
    word = element.get(name)
    most = bounds.characters(name)
    if word is not None and len(word) > most:
        raise Malformed(f"{place}@{name}", Problem.TOO_LONG, found=len(word), most=most)
    return word


def _element(name: str, attributes: Mapping[str, str | None], unknown: UnknownContent) -> Element:
    present = {key: value for key, value in attributes.items() if value is not None}
    element = Element(name, {**present, **unknown.attributes})
    element.extend(map(fragment.write, unknown.children))
    return element


def _unknown(
    attributes: Attributes, names: Container[str], children: Iterable[Element]
) -> UnknownContent:
    return UnknownContent(
        attributes={key: value for key, value in attributes.items() if key not in names},
        children=tuple(map(fragment.read, children)),
    )
