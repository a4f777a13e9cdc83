"""Keys of days, and the reports of the vectors, which a second implementation computes."""

from datetime import UTC, date, datetime, timedelta, timezone
import json
from pathlib import Path
import re

from hypothesis import given, strategies as st
import pytest

from consometers_node.protected_sums.field import MODULUS, encode
from consometers_node.protected_sums.masks import DayKey, PastKey, Subject
from consometers_node.protected_sums.reports import (
    Report,
    Verification,
    element_masks,
    outputs,
    read_verifier,
    share,
)
from consometers_node.series import Direction
from demo.hass.folder import ROOT

from .homes import NOON, TODAY
from .independent import KEPT, WAITED, vectors

KEY = DayKey(TODAY, bytes(range(32)))
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
    assert (report.day, report.nonce.hex()) == (key.day, vector["nonce"])
    assert report.masked.hex() == vector["masked"]
    of_home = share(report.masked)
    masks = element_masks(key.secret, subject.encoded(), report.nonce)
    verification_key = bytes.fromhex(vector["verification_key"])
    verification = Verification(verification_key, subject.direction, subject.hour)
    of_collective, of_witness = (verification.ask(each)[0] for each in (of_home, masks))
    assert encode(of_collective).hex() == vector["verifier_of_collective"]
    assert encode(of_witness).hex() == vector["verifier_of_witness"]
    assert verification.decide(read_verifier(encode(of_collective)), of_witness)
    total = [sum(both) % MODULUS for both in zip(outputs(of_home), outputs(masks), strict=True)]
    assert total == [vector["wh"], int(vector["wh"]) ** 2]


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


def test_a_subject_is_encoded_with_every_field() -> None:
    subjects = [
        NOON,
        Subject("energies.exampl", Direction.CONSUMPTION, NOON.hour),
        Subject(NOON.collective, Direction.INJECTION, NOON.hour),
        Subject(NOON.collective, NOON.direction, NOON.hour + timedelta(hours=1)),
        # The end of a name is not taken for the beginning of the next.
        Subject("energies.examplecon", Direction.CONSUMPTION, NOON.hour),
    ]
    assert len({subject.encoded() for subject in subjects}) == len(subjects)


def test_a_key_of_a_wrong_length_is_refused() -> None:
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
