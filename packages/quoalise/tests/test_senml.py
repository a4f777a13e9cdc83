"""Records to and from SenML: every legal form in, one form out."""

import math
from xml.etree.ElementTree import Element, SubElement

from hypothesis import example, given, strategies as st
import pytest

from consometers_quoalise import Number, Records
from consometers_quoalise.elements.markup import serialise
from consometers_quoalise.records import data
from consometers_quoalise.records.senml import SENML, SENSML, read, write

from .samples import POWER, RECORDS, element, message

TWO: dict[Number, Number] = {1583016600: 100, 1583018400: 101}

LEGAL: dict[str, tuple[str, tuple[Records, ...]]] = {
    "the compact form": (
        f'<senml bn="{POWER}" bt="1583016600" t="0" v="100" bu="W"/><senml t="1800" v="101"/>',
        (Records(POWER, "W", TWO),),
    ),
    "each record with its own base fields, as today's client builds them": (
        (
            f'<senml bn="{POWER}" bt="1583016600.0" bv="100" bu="W"/>'
            f'<senml bn="{POWER}" bt="1583018400.0" bv="101" bu="W"/>'
        ),
        (Records(POWER, "W", TWO),),
    ),
    "times and values as floats, as today's client compresses them": (
        f'<senml bn="{POWER}" bt="1583016600.0" bu="W" v="100.0"/><senml t="1800.0" v="101.0"/>',
        (Records(POWER, "W", TWO),),
    ),
    "no base field at all": (
        (
            f'<senml n="{POWER}" t="1583016600" v="100" u="W"/>'
            f'<senml n="{POWER}" t="1583018400" v="101" u="W"/>'
        ),
        (Records(POWER, "W", TWO),),
    ),
    "an empty name is the base name alone": (
        f'<senml bn="{POWER}" n="" bt="1583016600" v="100"/><senml n="" t="1800" v="101"/>',
        (Records(POWER, None, TWO),),
    ),
    "base fields hold from the record that carries them onwards": (
        (
            '<senml bn="a" bt="1583016600" v="1" bu="W"/><senml t="60" v="2"/>'
            '<senml bt="1583020200" v="3"/><senml bv="100" t="60" v="4"/><senml t="120" v="5"/>'
            '<senml bn="b" t="180" v="6"/><senml bu="Wh" t="240" v="7"/>'
        ),
        (
            Records(
                "a",
                "W",
                {1583016600: 1, 1583016660: 2, 1583020200: 3, 1583020260: 104, 1583020320: 105},
            ),
            Records("b", "W", {1583020380: 106}),
            Records("b", "Wh", {1583020440: 107}),
        ),
    ),
    "a name holds for its record alone": (
        (
            '<senml bn="urn:dev:ow:10e2073a01080063_" n="x" bt="1583016600" v="1"/>'
            '<senml n="y" v="2"/><senml n="x" t="1" v="3"/>'
        ),
        (
            Records("urn:dev:ow:10e2073a01080063_x", None, {1583016600: 1, 1583016601: 3}),
            Records("urn:dev:ow:10e2073a01080063_y", None, {1583016600: 2}),
        ),
    ),
    "a unit holds for its record alone": (
        '<senml bn="a" bt="1583016600" bu="W" u="VA" v="1"/><senml t="1" v="2"/>',
        (Records("a", "VA", {1583016600: 1}), Records("a", "W", {1583016601: 2})),
    ),
    "the example of RFC 8428 §7": (
        (
            '<senml bn="urn:dev:ow:10e2073a0108006:" bt="1.276020076001e+09" bu="A" bver="5"'
            ' n="voltage" u="V" v="120.1"></senml><senml n="current" t="-5" v="1.2"></senml>'
            '<senml n="current" t="-4" v="1.3"></senml><senml n="current" v="1.7"></senml>'
        ),
        (
            Records("urn:dev:ow:10e2073a0108006:voltage", "V", {1276020076.001: 120.1}),
            Records(
                "urn:dev:ow:10e2073a0108006:current",
                "A",
                {1276020071.001: 1.2, 1276020072.001: 1.3, 1276020076.001: 1.7},
            ),
        ),
    ),
    "numbers as XML Schema writes doubles": (
        '<senml bn="a" bt="+1.5E9" t=" 0 " v="-.5"/><senml t="1" v="1.5e3"/><senml t="2" v="3."/>',
        (Records("a", None, {1500000000: -0.5, 1500000001: 1500, 1500000002: 3}),),
    ),
    "every half hour, until one is missing": (
        (
            '<senml bn="a" bt="1583016600" t="0" v="1"/><senml t="1800" v="2"/>'
            '<senml t="5400" v="3"/>'
        ),
        (Records("a", None, {1583016600: 1, 1583018400: 2, 1583022000: 3}),),
    ),
    "every half hour from a part of a second": (
        '<senml bn="a" bt="1583016600.5" t="0" v="1"/><senml t="1800" v="2"/>',
        (Records("a", None, {1583016600.5: 1, 1583018400.5: 2}),),
    ),
    "in any order": (
        '<senml bn="a" bt="1583016600" t="60" v="2"/><senml t="0" v="1"/><senml t="30" v="3"/>',
        (Records("a", None, {1583016600: 1, 1583016630: 3, 1583016660: 2}),),
    ),
    "the same time twice: the later counts": (
        '<senml bn="a" bt="1583016600" t="0" v="1"/><senml t="60" v="2"/><senml t="0" v="3"/>',
        (Records("a", None, {1583016600: 3, 1583016660: 2}),),
    ),
    "the same time twice, with a unit for all and then its own": (
        (
            '<senml bn="a" bt="1583016600" bu="W" v="1"/><senml u="W" v="2"/><senml u="VA" v="3"/>'
            '<senml n="b" v="4"/><senml bt="1583016540" t="60" v="5"/>'
        ),
        (
            Records("a", "W", {1583016600: 5}),
            Records("a", "VA", {1583016600: 3}),
            Records("ab", "W", {1583016600: 4}),
        ),
    ),
    "fields that are not kept, and fields of others": (
        (
            '<senml bn="a" bt="1583016600" bver="10" v="1" s="3" bs="4" ut="60" later="x"/>'
            '<senml t="1" v="2" xmlns:o="urn:example:other" o:field="y"/>'
        ),
        (Records("a", None, {1583016600: 1, 1583016601: 2}),),
    ),
    "an empty base unit is none": (
        '<senml bn="a" bt="1583016600" bu="W" v="1"/><senml bu="" t="1" v="2"/>',
        (Records("a", "W", {1583016600: 1}), Records("a", None, {1583016601: 2})),
    ),
    "white space and comments between records": (
        '\n <senml bn="a" bt="1583016600" v="1"/> <!-- … -->\n <senml t="1" v="2">\n</senml>\n',
        (Records("a", None, {1583016600: 1, 1583016601: 2}),),
    ),
    "no record": ("", ()),
}


@pytest.mark.parametrize("form", LEGAL)
def test_every_legal_form_is_read(form: str) -> None:
    sent, expected = LEGAL[form]
    records = data.decode(message(sent)).records
    assert records == expected
    for series in records:
        for number in (*series.values.keys(), *series.values.values()):
            assert type(number) is int or not number.is_integer()


def written(*records: Records) -> str:
    return serialise(write(records)).decode()


def test_records_are_written_in_order_and_integers_without_a_point() -> None:
    values: dict[Number, Number] = {1583016602: 1.5, 1583016601: -0.0, 1583016600.0: 100.0}
    assert written(Records("a", None, values)).endswith(
        '<senml bn="a" bt="1583016600" t="0" v="100"/>'
        '<senml t="1" v="0"/><senml t="2" v="1.5"/></sensml>'
    )


def test_units_do_not_leak_into_records_without_one() -> None:
    """A base unit holds onwards and cannot be taken back; today's client adds u to bu."""
    records = [Records("a", "W", TWO), Records("b", None, TWO), Records("c", "Wh", TWO)]
    sent = write(records)
    assert {(records.name, records.unit) for records in read(sent)} == {
        ("a", "W"),
        ("b", None),
        ("c", "Wh"),
    }
    assert not any("u" in child.attrib for child in sent)


@given(st.lists(RECORDS, max_size=4, unique_by=lambda records: (records.name, records.unit)))
@example([Records("a", "W", {268435456.1: 1, 4102444799: 2})])
def test_records_round_trip(records: list[Records]) -> None:
    read_back = read(element(serialise(write(records))))
    assert sorted(read_back, key=str) == sorted(records, key=str)
    assert sorted(read(write(records)), key=str) == sorted(records, key=str)


@st.composite
def spelled(draw: st.DrawFn, records: Records) -> Element:
    """The same records, each in a form of its own, with base fields of its own."""
    sensml = Element(SENSML)
    for time, value in records.values.items():
        cut = draw(st.integers(0, len(records.name)))
        base_time = draw(st.integers(0, math.floor(time)))
        base_value = draw(st.integers(-1000, 1000)) if isinstance(value, int) else 0
        fields = {
            "bn": records.name[:cut],
            "n": records.name[cut:],
            "bt": draw(st.sampled_from(["{}", "{}.0", "+{}"])).format(base_time),
            "t": repr(time - base_time),
            "bv": str(base_value),
            "v": repr(value - base_value),
        }
        if records.unit is not None:
            fields[draw(st.sampled_from(["u", "bu"]))] = records.unit
        SubElement(sensml, SENML, dict(draw(st.permutations(list(fields.items())))))
    return sensml


@given(st.data(), RECORDS)
def test_all_legal_forms_are_equivalent(data: st.DataObject, records: Records) -> None:
    assert read(data.draw(spelled(records))) == (records,)
