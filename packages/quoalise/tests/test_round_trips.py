"""Every message survives a round trip, as an element and as bytes."""

from dataclasses import replace

from hypothesis import given, strategies as st
import pytest

from consometers_quoalise import federation_xml
from consometers_quoalise.federation import PART_BYTES
from consometers_quoalise.markup import local, serialise

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
    sent = serialise(federation_xml.write_export(whole))
    assert federation_xml.read_export(element(sent)) == whole


def test_additions_of_later_versions_are_ignored() -> None:
    sent = federation_xml.write_permission(PERMISSION)
    sent.set("later", "x")
    sent.append(element('<later xmlns="urn:consometers:federation:0"/>'))
    assert federation_xml.read_permission(sent) == PERMISSION
