"""Under which names the sums of groups are known, and what their records say."""

from hypothesis import given, strategies as st
import pytest

from consometers_node.series import Device, Direction, Interval, Quantity
from consometers_node.store.collective.groups import Group, GroupKind
from consometers_node.store.collective.published_series import devices, own_series, value
from consometers_node.store.collective.tables import GroupId
from consometers_node.wire import Naming
from consometers_quoalise.records.identifier import device


def named(*groups: tuple[str, str]) -> list[Group]:
    return [
        Group(GroupId(number), GroupKind(kind), name)
        for number, (kind, name) in enumerate(groups, 1)
    ]


@pytest.mark.parametrize(
    ("kind", "name", "known_as"),
    [
        ("all", "", "urn:dev:org:60060-kersabiec"),
        ("area", "Lorient", "urn:dev:org:60060-kersabiec-lorient"),
        ("area", "Île-de-Groix", "urn:dev:org:60060-kersabiec-ile-de-groix"),
        ("site", "École  « Sœur Anne »", "urn:dev:org:60060-kersabiec-ecole-soeur-anne"),
        ("building", "town-hall", "urn:dev:org:60060-kersabiec-town-hall"),
        ("area", "東京", "urn:dev:org:60060-kersabiec-area-1"),
    ],
)
def test_a_group_is_named_after_its_own_name(kind: str, name: str, known_as: str) -> None:
    assert devices("kersabiec", named((kind, name))) == {1: known_as}


def test_groups_of_one_name_get_distinct_devices() -> None:
    groups = named(("area", "Lorient"), ("site", "Lorient 3"), ("area", "lorient!"))
    names = devices("kersabiec", groups)
    assert names[GroupId(1)].endswith("-lorient")
    assert len(set(names.values())) == 3
    # Which of them comes first does not depend on how they are listed.
    assert devices("kersabiec", reversed(groups)) == names


@given(st.lists(st.tuples(st.sampled_from(["area", "site", "building"]), st.text()), max_size=6))
def test_every_group_name_gives_a_readable_device(groups: list[tuple[str, str]]) -> None:
    naming = Naming(bytes(32), collective="kersabiec")
    names = devices("kersabiec", named(("all", ""), *groups))
    assert len(set(names.values())) == len(groups) + 1
    for name in names.values():
        assert str(device(name)) == name
        assert naming.sums(own_series(name, Direction.INJECTION, Interval.PT1H, "Europe/Paris"))


@pytest.mark.parametrize(
    ("interval", "quantity", "watt_minutes", "record"),
    [
        (Interval.PT1H, Quantity.POWER, 6_000, 100),
        (Interval.PT30M, Quantity.POWER, 3_000, 100),
        (Interval.PT5M, Quantity.POWER, 502, 100),
        (Interval.PT5M, Quantity.POWER, 503, 101),
        (Interval.P1D, Quantity.ENERGY, 144_000, 2_400),
    ],
)
def test_a_record_is_mean_power_or_the_energy_of_a_day(
    interval: Interval, quantity: Quantity, watt_minutes: int, record: int
) -> None:
    series = own_series(Device("x"), Direction.CONSUMPTION, interval, "Europe/Paris")
    assert series.quantity is quantity
    assert value(watt_minutes, interval) == record
