"""The names and metadata by which a peer knows the series of a home."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from consometers_node.permission import Identification
from consometers_node.series import Device, Direction, Interval, Quantity, Record, Series
from consometers_node.wire import Naming, Unsayable, encode_series
from consometers_node.wire.decode import decode, read_series
from consometers_quoalise import SeriesPath
from consometers_quoalise.records import data

POINT = "30001610071843"
NAMING = Naming(bytes(32), POINT)
PSEUDONYM, BY_POINT = Identification.PSEUDONYM, Identification.DELIVERY_POINT
DRAWN = Series(
    Device("sensor.linky_energy_drawn"),
    Direction.CONSUMPTION,
    Quantity.ENERGY,
    Interval.PT1H,
    "Europe/Paris",
)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_a_pseudonym_reveals_nothing_of_the_home() -> None:
    name = str(NAMING.name(DRAWN, "coop@example.org", PSEUDONYM))
    assert name.startswith("urn:dev:org:60060-")
    assert name.endswith("_consumption/power/active/raw")
    assert "linky" not in name
    assert POINT not in name
    assert name != str(NAMING.name(DRAWN, "town@example.org", PSEUDONYM))


@pytest.mark.parametrize(
    ("direction", "interval", "expected"),
    [
        (Direction.CONSUMPTION, Interval.PT1H, f"prm:{POINT}_consumption/power/active/raw"),
        (Direction.INJECTION, Interval.PT30M, f"prm:{POINT}_production/power/active/raw"),
        (Direction.CONSUMPTION, Interval.P1D, f"prm:{POINT}_consumption/energy/active/daily"),
    ],
)
def test_delivery_point_names_follow_the_network_operator(
    direction: Direction, interval: Interval, expected: str
) -> None:
    series = replace(DRAWN, direction=direction, interval=interval)
    assert str(NAMING.name(series, "coop@example.org", BY_POINT)) == f"urn:dev:{expected}"


def test_panels_have_no_delivery_point() -> None:
    made = replace(DRAWN, direction=Direction.PRODUCTION)
    assert POINT not in str(NAMING.name(made, "coop@example.org", BY_POINT))


def test_an_unknown_delivery_point_is_requested() -> None:
    with pytest.raises(Unsayable, match="enter its number, or share under a pseudonym") as refusal:
        Naming(bytes(32)).name(DRAWN, "coop@example.org", BY_POINT)
    assert "indiquez son numéro" in refusal.value.text.say("fr")


def test_series_with_the_same_name_are_refused() -> None:
    fine = replace(DRAWN, interval=Interval.PT5M)
    with pytest.raises(Unsayable, match="the same name"):
        NAMING.names([DRAWN, fine], "coop@example.org", PSEUDONYM)
    daily = replace(DRAWN, interval=Interval.P1D)
    assert len(NAMING.names([DRAWN, daily, DRAWN], "coop@example.org", PSEUDONYM)) == 2


COOP = Naming(bytes(32), collective="coop")


@pytest.mark.parametrize("group", ["", "-school-1"])
@pytest.mark.parametrize("direction", Direction)
def test_a_sum_has_one_name_for_all_peers(direction: Direction, group: str) -> None:
    own = f"urn:dev:org:60060-coop{group}"
    summed = replace(DRAWN, device=Device(own), direction=direction, quantity=Quantity.POWER)
    names = {
        str(COOP.name(summed, f"{peer}@example.org", asked))
        for peer, asked in product(("one", "two"), Identification)
    }
    assert names == {f"{own}_{direction}/power/active/raw"}
    daily = replace(summed, interval=Interval.P1D, quantity=Quantity.ENERGY)
    name = COOP.name(daily, "one@example.org", PSEUDONYM)
    assert str(name.members) == f"{own}_{direction}/energy/active/daily/members"


@pytest.mark.parametrize(
    "device",
    ["urn:dev:org:60060-75vdklhr6srpcaq5xexikc5apc", "urn:dev:org:60060-cooperative", "sensor.x"],
)
def test_series_of_members_have_no_public_name(device: str) -> None:
    of_a_member = replace(DRAWN, device=Device(device))
    assert not COOP.may_name(of_a_member)
    with pytest.raises(Unsayable, match="stay here"):
        COOP.name(of_a_member, "town@example.org", PSEUDONYM)
    assert NAMING.may_name(of_a_member)


def test_a_sum_carries_its_member_counts() -> None:
    own, power = Device("urn:dev:org:60060-coop"), Quantity.POWER
    summed = replace(DRAWN, device=own, direction=Direction.INJECTION, quantity=power)
    name = COOP.name(summed, "town@example.org", PSEUDONYM)
    beside = {SeriesPath.MEMBERS: {NOON: 12}}
    sent = encode_series(name, summed, [Record(NOON, 5_000)], beside)
    message = data.decode(data.encode(sent))
    at = int(NOON.timestamp())
    assert [(record.name, record.unit, record.values) for record in message.records] == [
        (str(name), "W", {at: 5_000}),
        (str(name.members), "count", {at: 12}),
    ]
    (decoded,) = decode(message)
    assert (decoded.members, decoded.lacking) == ({NOON: 12}, set())
    read = read_series(name, message.metadata, "Europe/Paris", finest=Interval.PT1H)
    assert read == summed
    assert message.metadata.device is not None
    assert message.metadata.device.type == "collective"
    alone = encode_series(name.members, summed, [Record(NOON, 5_000)], beside)
    assert [record.name for record in alone.records] == [str(name.members)]
    assert alone.metadata.measurement is not None
    assert alone.metadata.measurement.unit == "count"


def test_a_sum_says_whether_homes_are_missing_from_it() -> None:
    summed = replace(DRAWN, device=Device("urn:dev:org:60060-coop"), quantity=Quantity.POWER)
    name = COOP.name(summed, "town@example.org", PSEUDONYM)
    later = NOON + timedelta(hours=1)
    beside = {SeriesPath.MEMBERS: {NOON: 12, later: 1}, SeriesPath.WITHOUT_HOMES: {later: 1}}
    sent = encode_series(name, summed, [Record(NOON, 5_000), Record(later, 900)], beside)
    (decoded,) = decode(data.decode(data.encode(sent)))
    assert (decoded.values, decoded.lacking) == ({NOON: 5_000, later: 900}, {later})


def test_a_series_without_records_encodes_to_no_data() -> None:
    name = NAMING.name(DRAWN, "coop@example.org", PSEUDONYM)
    assert len(encode_series(name, DRAWN, [])) == 0
