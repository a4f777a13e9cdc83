"""The rules, without a database: states, needs, and grants that only narrow."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from consometers_node.permission import (
    FOLLOWING,
    BadNeed,
    ChangedNeed,
    Choice,
    CountedTwice,
    DataNeed,
    ForbiddenChange,
    Identification,
    NotNarrower,
    Reading,
    ShownText,
    State,
    Terms,
    narrow,
)
from consometers_node.series import Device, Direction, Interval, Quantity, Series
from testing.homes.data_needs import (
    CHOICE,
    CHOICE_OF_PROTECTED,
    DAILY,
    FINE,
    HOURLY,
    INJECTED,
    NEED,
    PRODUCED,
    PROTECTED,
)

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)

ALL_SERIES = st.builds(
    replace,
    st.just(HOURLY),
    direction=st.sampled_from(Direction),
    quantity=st.sampled_from(Quantity),
    interval=st.sampled_from(Interval),
)
CHOICES = st.builds(
    Choice,
    series=st.frozensets(ALL_SERIES, max_size=3),
    interval=st.none() | st.sampled_from(Interval),
    identification=st.none() | st.sampled_from(Identification),
    history_days=st.none() | st.integers(-1, 60),
    duration_days=st.none() | st.integers(-1, 800),
)
NEEDS = st.builds(
    replace,
    st.just(NEED),
    interval=st.sampled_from(Interval),
    identification=st.sampled_from(Identification),
    history_days=st.integers(0, 40),
    duration_days=st.integers(1, 700),
)


def test_every_state_has_its_rules() -> None:
    assert set(FOLLOWING) == set(State)
    ended = {state for state, following in FOLLOWING.items() if not following}
    assert {State.REFUSED, State.WITHDRAWN, State.TERMINATED, State.EXPIRED} == ended


@given(need=NEEDS, choice=CHOICES)
def test_terms_are_never_wider_than_the_need(need: DataNeed, choice: Choice) -> None:
    try:
        terms = narrow(need, choice, NOON)
    except NotNarrower:
        return
    assert terms.series == choice.series
    assert terms.series
    for series in terms.series:
        assert need.asks_for(series)
        assert series.interval.minutes >= terms.interval.minutes >= need.interval.minutes
    by_name = need.identification is Identification.NAME
    assert terms.identification is need.identification or (
        not by_name and terms.identification is Identification.PSEUDONYM
    )
    assert terms.valid_from == NOON
    assert NOON - timedelta(need.history_days) <= terms.records_from <= NOON
    assert NOON < terms.valid_until <= NOON + timedelta(need.duration_days)


@pytest.mark.parametrize(
    ("field", "choice"),
    [
        ("series", {"series": frozenset()}),
        ("series", {"series": frozenset({FINE})}),
        ("series", {"series": frozenset({HOURLY, PRODUCED})}),
        ("series", {"interval": Interval.P1D}),
        ("interval", {"interval": Interval.PT30M}),
        ("identification", {"identification": Identification.DELIVERY_POINT}),
        ("identification", {"identification": Identification.NAME}),
        ("history_days", {"history_days": 31}),
        ("history_days", {"history_days": -1}),
        ("duration_days", {"duration_days": 366}),
        ("duration_days", {"duration_days": 0}),
    ],
)
def test_a_wider_choice_is_refused_with_its_field(field: str, choice: dict[str, object]) -> None:
    with pytest.raises(NotNarrower) as fault:
        narrow(NEED, Choice(**{"series": frozenset({HOURLY})} | choice), NOON)  # type: ignore[arg-type]
    assert fault.value.field == field


def test_the_choice_defaults_to_the_need() -> None:
    terms = narrow(NEED, Choice(series=frozenset({HOURLY, INJECTED, DAILY})), NOON)
    assert terms == Terms(
        series=frozenset({HOURLY, INJECTED, DAILY}),
        interval=Interval.PT1H,
        identification=Identification.PSEUDONYM,
        records_from=NOON - timedelta(30),
        valid_from=NOON,
        valid_until=NOON + timedelta(365),
    )


@pytest.mark.parametrize(
    ("need", "choice", "sent"),
    [
        (NEED, Choice(series=frozenset({HOURLY, DAILY})), {HOURLY: 6, DAILY: 6}),
        (NEED, Choice(series=frozenset({INJECTED})), {}),
        (NEED, Choice(series=frozenset({replace(HOURLY, device=Device("oven"))})), {}),
        (PROTECTED, CHOICE_OF_PROTECTED, {}),
        (replace(NEED, identification=Identification.NAME), CHOICE, {}),
    ],
    ids=["drawn", "fed in", "another device", "masked", "shown by name"],
)
def test_subscribed_power_leaves_only_where_it_bounds_what_a_home_draws(
    need: DataNeed, choice: Choice, sent: Mapping[Series, int]
) -> None:
    subscribed = {HOURLY.device: 6, Device("another"): 9}
    assert narrow(need, replace(choice, subscribed_kva=subscribed), NOON).subscribed_kva == sent
    assert narrow(need, choice, NOON).subscribed_kva == {}


def test_a_pseudonym_may_replace_the_delivery_point() -> None:
    need = replace(NEED, identification=Identification.DELIVERY_POINT)
    assert narrow(need, CHOICE, NOON).identification is Identification.DELIVERY_POINT
    choice = replace(CHOICE, identification=Identification.PSEUDONYM)
    assert narrow(need, choice, NOON).identification is Identification.PSEUDONYM


@pytest.mark.parametrize("narrower", [Identification.PSEUDONYM, Identification.DELIVERY_POINT])
def test_a_need_by_name_is_granted_or_refused(narrower: Identification) -> None:
    need = replace(NEED, identification=Identification.NAME)
    assert narrow(need, CHOICE, NOON).identification is Identification.NAME
    with pytest.raises(NotNarrower):
        narrow(need, replace(CHOICE, identification=narrower), NOON)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", 0),
        ("series", frozenset()),
        ("title", {}),
        ("purpose", {"fr": " "}),
        ("purpose", {"fr": "x" * 9_000}),
        ("recipients", {"fr": ""}),
        ("id", ""),
        ("controller", " "),
        ("contact", ""),
        ("policy", ""),
        ("policy", "x" * 9_000),
        ("history_days", -1),
        ("history_days", 36_601),
        ("duration_days", 0),
        ("retention_days", -1),
    ],
)
def test_an_invalid_need_is_refused_with_its_field(field: str, value: object) -> None:
    with pytest.raises(BadNeed, match=f"^{field}: ") as fault:
        replace(NEED, **{field: value})  # type: ignore[arg-type]
    assert fault.value.field == field


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("witness", None, "witness: sums have a witness, and nothing else has"),
        ("reading", Reading.INDIVIDUAL, "witness: sums have a witness, and nothing else has"),
        ("interval", Interval.PT5M, "interval: sums are of hours"),
        ("history_days", 1, "history_days: sums are of hours to come"),
        (
            "identification",
            Identification.DELIVERY_POINT,
            "identification: sums are of pseudonyms",
        ),
    ],
)
def test_sums_require_coming_hours_pseudonyms_and_a_witness(
    field: str, value: object, fault: str
) -> None:
    with pytest.raises(BadNeed, match=f"^{fault}$"):
        replace(PROTECTED, **{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "extreme",
    [
        {"version": 1, "history_days": 0, "duration_days": 1, "retention_days": 0},
        {"history_days": 36_600, "duration_days": 36_600, "retention_days": 36_600},
        {"purpose": {"fr": "x" * 4_000, "en": "x" * 4_000}, "recipients": {}},
        dict.fromkeys(("id", "controller", "contact", "policy"), "x" * 8_000),
        dict.fromkeys(("id", "controller", "contact", "policy"), "x"),
    ],
)
def test_a_need_may_have_the_extremes_of_its_fields(extreme: dict[str, object]) -> None:
    need = replace(NEED, **extreme)  # type: ignore[arg-type]
    assert {field: getattr(need, field) for field in extreme} == extreme


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("version", 0, "versions count from 1"),
        ("series", frozenset(), "no series is asked for"),
        ("purpose", {"fr": "x" * 4_000, "en": "x" * 4_001}, "nobody would read all of it"),
        ("title", {"fr": "Toits", "en": " "}, "people must be able to read it"),
        *((field, "x" * 8_001, "it is missing or too long") for field in ("id", "contact")),
        ("history_days", 36_601, "it is from 0 to 36600 days"),
        ("duration_days", 36_601, "it is from 1 to 36600 days"),
        ("retention_days", 36_601, "it is from 0 to 36600 days"),
    ],
)
def test_a_refused_need_says_what_it_lacks(field: str, value: object, words: str) -> None:
    with pytest.raises(BadNeed) as fault:
        replace(NEED, **{field: value})  # type: ignore[arg-type]
    assert str(fault.value) == f"{field}: {words}"


@pytest.mark.parametrize(
    ("interval", "asked"),
    [
        (Interval.PT5M, False),
        (Interval.PT30M, False),
        (Interval.PT1H, True),
        (Interval.P1D, True),
    ],
)
def test_a_need_asks_for_its_interval_and_coarser_ones(interval: Interval, asked: bool) -> None:
    assert NEED.asks_for(replace(HOURLY, interval=interval)) is asked
    assert not NEED.asks_for(replace(PRODUCED, interval=interval))


def test_directions_of_a_need_are_each_named_once_in_order() -> None:
    assert NEED.directions == [Direction.CONSUMPTION, Direction.INJECTION]


@pytest.mark.parametrize(
    ("policy", "link"),
    [
        ("https://coop.example/policy", "https://coop.example/policy"),
        ("http://coop.example/policy", None),
        ("javascript:alert('https://')", None),
        ("at the town hall", None),
    ],
)
def test_only_a_secure_link_to_the_policy_can_be_followed(policy: str, link: str | None) -> None:
    assert replace(NEED, policy=policy).policy_link == link


def test_all_that_is_asked_and_the_least_can_be_chosen() -> None:
    for history, duration in ((30, 365), (0, 1)):
        choice = replace(CHOICE, history_days=history, duration_days=duration)
        terms = narrow(NEED, choice, NOON + timedelta(microseconds=7))
        assert terms.valid_from == NOON
        assert (terms.records.start, terms.records.end) == (
            NOON - timedelta(history),
            NOON + timedelta(duration),
        )


def test_faults_say_what_was_not_allowed() -> None:
    change = ForbiddenChange(State.GRANTED, State.REFUSED)
    assert (change.before, change.after) == (State.GRANTED, State.REFUSED)
    assert str(change) == "a permission that is granted cannot become refused"
    twice = CountedTwice("urn:dev:org:60060-a")
    assert twice.device == "urn:dev:org:60060-a"
    assert str(twice) == "urn:dev:org:60060-a: the sum of all members has its homes already"
    changed = str(ChangedNeed("sums", 2))
    assert changed == "data need sums changed, but 2 is not a newer version"
    assert str(NotNarrower("interval")) == "interval: a permission only narrows what was asked"


def test_a_need_of_sums_asks_for_hours_alone() -> None:
    assert PROTECTED.asks_for(HOURLY)
    assert not PROTECTED.asks_for(DAILY)


def test_the_hash_covers_the_exact_words() -> None:
    shown = ShownText("fr", "Énergie")
    # printf 'Énergie' | sha256sum
    assert shown.hash == "1389e1b878903249406a3f4285dc3f7a39ebc67759ead02d898711eaa134a331"
    assert shown.hash != ShownText("fr", "énergie").hash
