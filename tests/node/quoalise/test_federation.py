"""Data needs, permissions, receipts and exports, both ways."""

from dataclasses import replace

from hypothesis import given, strategies as st

from consometers_node.quoalise import (
    DataNeed,
    ExportPart,
    Permission,
    Receipt,
    federation_xml,
)
from consometers_node.quoalise.federation import PART_BYTES
from consometers_node.quoalise.markup import serialise

from .samples import DATA_NEEDS, EXPORT, MOMENTS, PERMISSION, PERMISSIONS, RECEIPTS, element


@given(st.lists(DATA_NEEDS, max_size=3).map(tuple))
def test_data_needs_round_trip(needs: tuple[DataNeed, ...]) -> None:
    sent = federation_xml.write_data_needs(needs)
    assert federation_xml.read_data_needs(sent) == needs
    assert federation_xml.read_data_needs(element(serialise(sent))) == needs


@given(PERMISSIONS)
def test_permissions_round_trip(permission: Permission) -> None:
    sent = federation_xml.write_permission(permission)
    assert federation_xml.read_permission(element(serialise(sent))) == permission


@given(RECEIPTS)
def test_receipts_round_trip(receipt: Receipt) -> None:
    sent = federation_xml.write_receipt(receipt)
    assert federation_xml.read_receipt(element(serialise(sent))) == receipt


@given(
    st.builds(
        ExportPart,
        id=st.uuids().map(str),
        time=MOMENTS,
        size=st.integers(1, 10**9),
        sha256=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
        part=st.integers(1, 2_000),
        parts=st.integers(1, 2_000),
        content=st.binary(min_size=1, max_size=500),
    )
)
def test_exports_round_trip(part: ExportPart) -> None:
    sent = federation_xml.write_export(part)
    assert federation_xml.read_export(element(serialise(sent))) == part


def test_a_full_part_fits_into_a_message() -> None:
    whole = replace(EXPORT, content=bytes(PART_BYTES))
    sent = serialise(federation_xml.write_export(whole))
    assert federation_xml.read_export(element(sent)) == whole


def test_additions_of_later_versions_are_ignored() -> None:
    sent = federation_xml.write_permission(PERMISSION)
    sent.set("later", "x")
    sent.append(element('<later xmlns="urn:consometers:federation:0"/>'))
    assert federation_xml.read_permission(sent) == PERMISSION
