"""Data needs, permissions and receipts, both ways."""

from hypothesis import given, strategies as st

from consometers_node.quoalise import (
    DataNeed,
    Permission,
    Receipt,
    federation_xml,
)
from consometers_node.quoalise.markup import serialise

from .samples import DATA_NEEDS, PERMISSION, PERMISSIONS, RECEIPTS, element


@given(st.lists(DATA_NEEDS, max_size=3).map(tuple))
def test_data_needs_that_are_written_are_read_the_same(needs: tuple[DataNeed, ...]) -> None:
    sent = federation_xml.write_data_needs(needs)
    assert federation_xml.read_data_needs(sent) == needs
    assert federation_xml.read_data_needs(element(serialise(sent))) == needs


@given(PERMISSIONS)
def test_a_permission_that_is_written_is_read_the_same(permission: Permission) -> None:
    sent = federation_xml.write_permission(permission)
    assert federation_xml.read_permission(element(serialise(sent))) == permission


@given(RECEIPTS)
def test_a_receipt_that_is_written_is_read_the_same(receipt: Receipt) -> None:
    sent = federation_xml.write_receipt(receipt)
    assert federation_xml.read_receipt(element(serialise(sent))) == receipt


def test_what_a_later_version_adds_is_ignored() -> None:
    sent = federation_xml.write_permission(PERMISSION)
    sent.set("later", "x")
    sent.append(element('<later xmlns="urn:consometers:federation:0"/>'))
    assert federation_xml.read_permission(sent) == PERMISSION
