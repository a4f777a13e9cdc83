"""Identifiers of devices and of their series, and the names by which a collective knows them."""

import base64
import hashlib
import hmac

from hypothesis import given, strategies as st
import pytest

from consometers_quoalise import (
    Device,
    Direction,
    Identifier,
    Malformed,
    SeriesPath,
    pseudonym,
)
from consometers_quoalise.records.identifier import (
    BESIDE,
    device,
    identifier,
    organisation,
    series,
)

from .samples import DEVICES, IDENTIFIERS, POWER

METER = Device("prm", "30001610071843")
IN_USE = {
    POWER: (METER, Direction.CONSUMPTION, SeriesPath.POWER),
    f"{METER}_production/energy/active/daily": (
        METER,
        Direction.PRODUCTION,
        SeriesPath.ENERGY_DAILY,
    ),
    f"{METER}_consumption/energy/active/index/distributor/hph": (
        METER,
        Direction.CONSUMPTION,
        "energy/active/index/distributor/hph",
    ),
    "urn:dev:org:60060-elfe:42878": (Device("org", "60060-elfe:42878"), None, ""),
    "urn:dev:ow:10e2073a0108006_voltage": (Device("ow", "10e2073a0108006"), None, "voltage"),
    "urn:dev:org:60060-exemple_injection/power/active/raw/members": (
        Device("org", "60060-exemple"),
        Direction.INJECTION,
        "power/active/raw/members",
    ),
    "urn:dev:mac:0024befffe804ff1": (Device("mac", "0024befffe804ff1"), None, ""),
    "urn:dev:os:32473-123456": (Device("os", "32473-123456"), None, ""),
    "urn:dev:ops:32473-Refrigerator-5002": (Device("ops", "32473-Refrigerator-5002"), None, ""),
    "urn:dev:example:new-1-2-3_comp": (Device("example", "new-1-2-3"), None, "comp"),
}


@pytest.mark.parametrize("sent", IN_USE)
def test_identifiers_in_use_are_read(sent: str) -> None:
    device_type, direction, quantity = IN_USE[sent]
    result = identifier(sent)
    assert (result.device, result.direction, result.quantity) == (device_type, direction, quantity)
    assert str(result) == sent


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "urn:dev:",
        "urn:dev:prm:",
        "urn:dev:prm:3000161007184",
        "urn:dev:prm:300016100718433",
        "urn:dev:prm:٣0001610071843",
        "urn:dev:org:60060",
        "urn:dev:org:060060-a",
        "urn:dev:org:60060-",
        "urn:dev:mac:0024BEFFFE804FF1",
        "urn:dev:ops:32473-5002",
        "urn:dev:UPPER:a",
        "urn:dev:a:b c",
        "urn:dev:a:b\nc",
        "urn:dev:a:b_",
        "urn:dev:a:b_c/",
        "urn:dev:a:b_/c",
        "urn:dev:a:b_é",
        "urn:uuid:a",
        "prm:30001610071843",
        "urn:dev:a:b_" + 255 * "c",
    ],
)
def test_invalid_identifiers_are_refused(sent: str) -> None:
    with pytest.raises(Malformed):
        identifier(sent)


def test_series_are_built() -> None:
    # The scheme may be in capitals.
    assert device("URN:DEV:prm:30001610071843") == METER
    assert str(series(METER, Direction.CONSUMPTION)) == POWER
    assert METER.delivery_point == "30001610071843"
    collective = organisation("exemple")
    assert collective.delivery_point is None
    injected = series(collective, Direction.INJECTION, SeriesPath.ENERGY_DAILY)
    assert (
        str(injected.members) == "urn:dev:org:60060-exemple_injection/energy/active/daily/members"
    )
    for path in BESIDE:
        assert injected.beside(path).summed == injected
    assert injected.summed is None


@given(IDENTIFIERS)
def test_identifiers_round_trip(value: Identifier) -> None:
    assert identifier(str(value)) == value


SECRET = bytes(range(32))
COLLECTIVE = "collective@example.org"


def test_pseudonyms_follow_the_protocol() -> None:
    """Computed here from the words of the protocol, and fixed: a change would unname members."""
    message = b"collective@example.org\x00urn:dev:prm:30001610071843"
    digest = hmac.new(SECRET, message, hashlib.sha256).digest()
    expected = base64.b32encode(digest)[:26].decode().lower()
    assert str(pseudonym(SECRET, COLLECTIVE, METER)) == f"urn:dev:org:60060-{expected}"
    assert expected == "75vdklhr6srpcaq5xexikc5apc"


@given(st.binary(min_size=32, max_size=64), DEVICES)
def test_pseudonyms_are_stable_devices(secret: bytes, original: Device) -> None:
    pseudonyms = pseudonym(secret, COLLECTIVE, original)
    assert device(str(pseudonyms)) == pseudonyms == pseudonym(secret, COLLECTIVE, original)
    assert len(pseudonyms.body) == len("60060-") + 26


def test_pseudonyms_depend_on_secret_peer_and_device() -> None:
    pseudonyms = {
        pseudonym(SECRET, COLLECTIVE, METER),
        pseudonym(bytes(32), COLLECTIVE, METER),
        pseudonym(SECRET, "other@example.org", METER),
        pseudonym(SECRET, "example.org", METER),
        pseudonym(SECRET, COLLECTIVE, Device("prm", "30001610071844")),
    }
    assert len(pseudonyms) == 5
