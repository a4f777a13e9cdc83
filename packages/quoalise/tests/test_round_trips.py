"""Every message survives a round trip, as an element and as bytes."""

from dataclasses import replace

from hypothesis import given, strategies as st
import pytest

from consometers_quoalise.elements.markup import local, serialise
from consometers_quoalise.federation import permissions_xml
from consometers_quoalise.federation.permissions import PART_BYTES

from .samples import CODECS, COMMANDS, EXPORT, PERMISSION, Codec, element


@pytest.mark.parametrize(
    "codec", [*CODECS.values(), *COMMANDS], ids=[*map(local, CODECS), "request", "list"]
)
@given(data=st.data())
def test_values_round_trip(codec: Codec, data: st.DataObject) -> None:
    values, read, write = codec
    value = data.draw(values)
    sent = write(value)
    assert read(sent) == value
    assert read(element(serialise(sent))) == value


def test_a_full_part_fits_into_a_message() -> None:
    whole = replace(EXPORT, content=bytes(PART_BYTES))
    sent = serialise(permissions_xml.write_export(whole))
    assert permissions_xml.read_export(element(sent)) == whole


def test_additions_of_later_versions_are_ignored() -> None:
    sent = permissions_xml.write_permission(PERMISSION)
    sent.set("later", "x")
    sent.append(element('<later xmlns="urn:consometers:federation:0"/>'))
    assert permissions_xml.read_permission(sent) == PERMISSION
