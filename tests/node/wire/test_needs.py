"""Data needs and permissions, between the protocol's words and the node's."""

from dataclasses import replace
import tomllib
from typing import Any

from hypothesis import given, strategies as st
import pytest

from consometers_node.permission import DataNeed, DataNeedSeries
from consometers_node.series import Direction, Interval, Quantity
from consometers_node.wire import (
    Unsayable,
    read_need,
    read_need_file,
    read_need_mapping,
    write_need,
    write_need_file,
)
from consometers_node.wire.needs import days, need_hash
import consometers_quoalise as quoalise
from consometers_quoalise import Duration, iso8601
from packages.quoalise.tests.samples import NEED as SENT
from testing.homes.data_needs import NEED, PROTECTED, WITNESS

FILE = """
id = "roof"
version = 2
controller = "Coop of Kersabiec"
contact = "dpo@coop.example"
policy = "https://coop.example/policy"
interval = "PT1H"
history = "P1Y"
duration = "P2Y"
retention = "P6M"
series = [{ direction = "consumption", quantity = "power" }]

[title]
fr = "Le prochain toit"
en = "The next roof"

[purpose]
fr = "Dimensionner le prochain toit."
"""


def test_a_need_for_power_accepts_energy_registers() -> None:
    assert read_need(SENT).series == {
        DataNeedSeries(Direction.CONSUMPTION, Quantity.POWER),
        DataNeedSeries(Direction.CONSUMPTION, Quantity.ENERGY),
    }


def test_a_need_for_energy_accepts_registers_alone() -> None:
    energy = quoalise.DataNeedSeries(Direction.INJECTION, Quantity.ENERGY)
    assert read_need(replace(SENT, series=(energy,))).series == {
        DataNeedSeries(Direction.INJECTION, Quantity.ENERGY)
    }


@pytest.mark.parametrize(
    ("length", "expected"),
    [("P3Y", 1095), ("P1Y6M", 545), ("P2W", 14), ("PT36H", 1), ("PT0S", 0)],
)
def test_durations_round_down_to_whole_days(length: str, expected: int) -> None:
    assert days(iso8601.duration(length)) == expected


def test_an_unsupported_interval_is_refused_in_both_languages() -> None:
    with pytest.raises(Unsayable, match="PT10M are not supported here: use one of PT5M") as refusal:
        read_need(replace(SENT, interval=Duration(seconds=600)))
    assert "ne sont pas acceptés ici" in refusal.value.text.say("fr")


def test_an_unanswerable_need_names_its_controller() -> None:
    with pytest.raises(Unsayable, match=r"\(duration\): ask Kersabiec"):
        read_need(replace(SENT, duration=Duration(seconds=60)))


def test_a_need_file_is_read() -> None:
    need = read_need_file(FILE.encode())
    assert isinstance(need, DataNeed)
    assert (need.id, need.version, need.history_days, need.retention_days) == ("roof", 2, 365, 180)
    assert need.title == {"fr": "Le prochain toit", "en": "The next roof"}
    assert need.recipients == {}


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('id = "roof"', "", "data-needs/data-need.*@id"),
        ("PT1H", "an hour", "an hour"),
        ("version = 2", "version = 0", "@version"),
        ("consumption", "heating", "heating"),
        ("https://", "http://", "policy"),
        ('id = "roof"', 'name = "roof"', "has the unknown key “name”. Known keys: id"),
        ('id = "roof"', "id = roof", "cannot be read as TOML.*line 2"),
        ("[title]", "[[title]]", "title"),
        ('policy = "https://coop.example/policy"', "policy = [1]", "policy"),
        ('[{ direction = "consumption", quantity = "power" }]', '"all"', "series"),
    ],
)
def test_a_wrong_need_file_is_refused_with_the_cause(old: str, new: str, why: str) -> None:
    with pytest.raises(Unsayable, match=why):
        read_need_file(FILE.replace(old, new).encode())


def test_an_oversized_need_file_is_refused() -> None:
    with pytest.raises(Unsayable, match="longer than 65536 bytes"):
        read_need_file(FILE.encode() + b"#" * 65_536)


WORDS = (
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(str.strip).filter(bool)
)


@given(
    title=st.dictionaries(st.sampled_from(["fr", "en", "br-FR"]), WORDS, min_size=1),
    recipients=st.dictionaries(st.sampled_from(["fr", "en"]), WORDS),
    contact=WORDS,
    quantities=st.dictionaries(
        st.sampled_from(Direction),
        st.sampled_from([frozenset(Quantity), frozenset({Quantity.ENERGY})]),
        min_size=1,
    ),
    interval=st.sampled_from(Interval),
    history_days=st.integers(0, 36_600),
)
def test_needs_and_their_files_round_trip(
    quantities: dict[Direction, frozenset[Quantity]], **fields: Any
) -> None:
    series = frozenset(
        DataNeedSeries(direction, quantity)
        for direction, asked in quantities.items()
        for quantity in asked
    )
    need = replace(NEED, series=series, **fields)
    assert read_need_file(write_need_file(need).encode()) == need


@pytest.mark.parametrize("words", ["\x0b", "a\x1b[0m", "\ufffe", "\ud800"])
def test_characters_that_xml_cannot_carry_are_refused(words: str) -> None:
    document = tomllib.loads(FILE)
    with pytest.raises(Unsayable):
        read_need_mapping({**document, "title": {"en": words}})


def test_need_files_keep_the_witness() -> None:
    assert read_need_file(write_need_file(PROTECTED).encode()) == PROTECTED


def test_the_hash_of_a_need_ignores_the_order_of_languages() -> None:
    turned = replace(PROTECTED, title=dict(reversed(list(PROTECTED.title.items()))))
    assert list(turned.title) != list(PROTECTED.title)
    assert need_hash(turned) == need_hash(PROTECTED) == need_hash(read_need(write_need(turned)))
    for changed in (
        replace(PROTECTED, purpose={"en": "Another one."}),
        replace(PROTECTED, witness=replace(WITNESS, minimum=WITNESS.minimum - 1)),
    ):
        assert need_hash(changed) != need_hash(PROTECTED)
