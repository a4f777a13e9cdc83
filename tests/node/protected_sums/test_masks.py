"""Keys of days, and reports that are masked with them."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
import json
from pathlib import Path
import re

from hypothesis import given, strategies as st
import pytest

from consometers_node.protected_sums.masks import (
    MOST_WH,
    DayKey,
    PastKey,
    Report,
    Subject,
    masks,
)
from consometers_node.series import Direction
from demo.hass.folder import ROOT

from .homes import NOON, TODAY
from .independent import KEPT, WAITED, vectors

KEY = DayKey(TODAY, bytes(range(32)))
SECRET = bytes(range(32, 64))
NONCE = bytes(16)
VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())


@pytest.mark.parametrize("page", ["protected-sums.md", "protected-sums.fr.md"])
def test_documentation_states_how_long_keys_and_hours_wait(page: str) -> None:
    text = (ROOT / "docs" / page).read_text().replace("\N{NO-BREAK SPACE}", " ")
    stated = {int(days) for days in re.findall(r"(\d+) (?:days|jours)", text)}
    assert stated == {KEPT.days, WAITED.days}


def test_vectors_match_an_independent_library() -> None:
    assert vectors() == VECTORS


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['wh']} Wh")
def test_masked_reports_match_the_vectors(vector: dict[str, str]) -> None:
    first = DayKey(date.fromisoformat(vector["enrolled"]), bytes.fromhex(vector["first_key"]))
    assert first.authentication_key().hex() == vector["authentication_key"]
    key = first.on(date.fromisoformat(vector["day"]))
    assert key.secret.hex() == vector["key"]
    subject = Subject(
        vector["collective"],
        Direction(vector["direction"]),
        datetime.fromisoformat(vector["hour"]),
    )
    report = Report.of(int(vector["wh"]), subject, key, bytes.fromhex(vector["nonce_secret"]))
    assert (report.day, report.nonce.hex(), report.masked, report.masked_square) == (
        key.day,
        vector["nonce"],
        int(vector["y1"], 16),
        int(vector["y2"], 16),
    )


@given(st.integers(0, 400), st.integers(0, 400))
def test_keys_do_not_depend_on_the_steps_of_their_derivation(first: int, more: int) -> None:
    then = TODAY + timedelta(days=first)
    later = then + timedelta(days=more)
    assert KEY.on(then).on(later) == KEY.on(later)
    if more:
        with pytest.raises(PastKey, match=f"the key of {then} was forgotten"):
            KEY.on(later).on(then)


def test_repr_hides_the_key() -> None:
    assert "00010203" not in repr(KEY)
    assert KEY.secret.hex() not in repr(KEY)
    assert str(KEY.secret) not in repr(KEY)


def test_mask_depends_on_every_field_of_a_report() -> None:
    subjects = [
        NOON,
        Subject("energies.exampl", Direction.CONSUMPTION, NOON.hour),
        Subject(NOON.collective, Direction.INJECTION, NOON.hour),
        Subject(NOON.collective, NOON.direction, NOON.hour + timedelta(hours=1)),
        # The end of a name is not taken for the beginning of the next.
        Subject("energies.examplecon", Direction.CONSUMPTION, NOON.hour),
    ]
    keys = [KEY.secret, KEY.on(TODAY + timedelta(days=1)).secret]
    nonces = [NONCE, bytes([*NONCE[1:], 1])]
    made = [
        masks(key, subject.encoded(), nonce)
        for key in keys
        for subject in subjects
        for nonce in nonces
    ]
    assert len({mask for mask, _ in made}) == len({mask for _, mask in made}) == len(made)


def test_reports_are_repeatable_and_no_mask_serves_two_values() -> None:
    tomorrow = KEY.on(TODAY + timedelta(days=1))
    later = replace(NOON, hour=NOON.hour + timedelta(hours=1))
    made = {
        (Report.of(wh, subject, key, secret).nonce, key.day)
        for wh in (0, 1, 412)
        for subject in (NOON, later)
        for key in (KEY, tomorrow)
        for secret in (SECRET, KEY.secret)
        for _ in range(2)
    }
    assert len(made) == len({nonce for nonce, _ in made}) == 3 * 2 * 2 * 2


@pytest.mark.parametrize("wh", [0, 412, MOST_WH])
def test_masked_values_look_like_random_bytes(wh: int) -> None:
    """χ² of the bytes of 4,000 reports of one value: 330 is exceeded once in a thousand times."""
    hours = (replace(NOON, hour=NOON.hour + timedelta(hours=n)) for n in range(4_000))
    reports = [Report.of(wh, hour, KEY, SECRET) for hour in hours]
    for column in (
        b"".join(report.nonce for report in reports),
        b"".join(report.masked.to_bytes(8) for report in reports),
        b"".join(report.masked_square.to_bytes(16) for report in reports),
    ):
        expected = len(column) / 256
        counts = Counter(column)
        chi = sum((counts[byte] - expected) ** 2 / expected for byte in range(256))
        assert chi < 330


@pytest.mark.parametrize("wh", [-1, MOST_WH + 1])
def test_values_beyond_any_contract_are_refused(wh: int) -> None:
    with pytest.raises(ValueError, match="0 to 36000 Wh"):
        Report.of(wh, NOON, KEY, SECRET)


def test_keys_and_secrets_of_a_wrong_length_are_refused() -> None:
    with pytest.raises(ValueError, match="nonce"):
        Report.of(1, NOON, KEY, SECRET[1:])
    with pytest.raises(ValueError, match="key"):
        DayKey(TODAY, b"short")


@pytest.mark.parametrize(
    "hour",
    [
        datetime(2026, 11, 28, 12, 30, tzinfo=UTC),
        datetime(2026, 11, 28, 12),  # noqa: DTZ001
        datetime(2026, 11, 28, 12, tzinfo=timezone(timedelta(hours=1))),
    ],
)
def test_a_subject_is_an_hour_of_utc(hour: datetime) -> None:
    with pytest.raises(ValueError, match="no hour of UTC"):
        Subject(NOON.collective, NOON.direction, hour)
