"""Reports that prove their values: what is accepted, what is refused, what each server sees.

A second implementation computes the vectors.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
import json
from pathlib import Path
from random import Random

from hypothesis import example, given, strategies as st
import pytest

from consometers_protected_sums.errors import NotElements
from consometers_protected_sums.exchange import MASKED_BYTES, VERIFIER_BYTES
from consometers_protected_sums.field import MODULUS, decode, encode
from consometers_protected_sums.keys import DayKey
from consometers_protected_sums.reports import (
    CIRCUIT,
    ELEMENTS,
    MOST_WH,
    Report,
    Subject,
    Verification,
    measurement,
    outputs,
    read_verifiers,
    share,
)

from .homes import NOON, TODAY, masks_of, verifier_of

KEY = DayKey(TODAY, bytes(range(32)))
SECRET = bytes(range(32, 64))
VERIFICATION_KEY = bytes(range(64, 96))
VERIFICATION = Verification(VERIFICATION_KEY, NOON.direction, NOON.hour)
VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())["reports"]
BITS = 16
SQUARE = BITS
SEEDS = range(BITS + 1, BITS + 3)
VALUES = range(BITS + 3, ELEMENTS)


def of_noon(report: Report) -> tuple[int, ...]:
    return masks_of(KEY.secret, NOON, report.nonce)


def added(first: Sequence[int], second: Sequence[int]) -> list[int]:
    return [(a + b) % MODULUS for a, b in zip(first, second, strict=True)]


def accepts(elements: Sequence[int], verification: Verification = VERIFICATION) -> bool:
    """Return whether servers accept elements, of which one has shares that a seed decides."""
    masks = masks_of(bytes(32), NOON, bytes(16))
    rest = [(element - mask) % MODULUS for element, mask in zip(elements, masks, strict=True)]
    return verification.decide(verifier_of(rest, verification), verifier_of(masks, verification))


def proven(measured: Sequence[int], seeds: Sequence[int] = (3, 4)) -> list[int]:
    """Return a measurement with what a home computes as its proof, whether it is valid or not."""
    return [*measured, *CIRCUIT.prove(measured, seeds)]


def changed(elements: Sequence[int], place: int, by: int) -> list[int]:
    return [(element + by * (number == place)) % MODULUS for number, element in enumerate(elements)]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['wh']} Wh")
def test_masked_reports_match_the_vectors(vector: dict[str, str]) -> None:
    first = DayKey(date.fromisoformat(vector["enrolled"]), bytes.fromhex(vector["first_key"]))
    assert first.authentication_key().hex() == vector["authentication_key"]
    key = first.on(date.fromisoformat(vector["day"]))
    assert key.secret.hex() == vector["key"]
    subject = Subject(
        vector["collective"],
        vector["direction"],
        datetime.fromisoformat(vector["hour"]),
    )
    report = Report.of(int(vector["wh"]), subject, key, bytes.fromhex(vector["nonce_secret"]))
    assert (report.day, report.nonce.hex()) == (key.day, vector["nonce"])
    assert report.masked.hex() == vector["masked"]
    of_home = share(report.masked)
    masks = masks_of(key.secret, subject, report.nonce)
    verification_key = bytes.fromhex(vector["verification_key"])
    verification = Verification(verification_key, subject.direction, subject.hour)
    of_collective, of_witness = (verifier_of(each, verification) for each in (of_home, masks))
    assert encode(of_collective).hex() == vector["verifier_of_collective"]
    assert encode(of_witness).hex() == vector["verifier_of_witness"]
    (read,) = read_verifiers([encode(of_collective)])
    assert verification.decide(read, of_witness)
    total = [sum(both) % MODULUS for both in zip(outputs(of_home), outputs(masks), strict=True)]
    assert total == [vector["wh"], int(vector["wh"]) ** 2]


@given(st.integers(0, MOST_WH))
@example(0)
@example((1 << 15) - 1)
@example(1 << 15)
@example(MOST_WH)
def test_a_report_is_accepted_and_opens_to_its_value_and_square(wh: int) -> None:
    report = Report.of(wh, NOON, KEY, SECRET)
    of_collective, of_witness = share(report.masked), of_noon(report)
    verifiers = verifier_of(of_collective, VERIFICATION), verifier_of(of_witness, VERIFICATION)
    assert VERIFICATION.decide(*verifiers)
    assert added(outputs(of_collective), outputs(of_witness)) == [wh, wh * wh]


def test_a_report_has_656_bytes_and_its_verifier_32() -> None:
    report = Report.of(412, NOON, KEY, SECRET)
    assert len(report.masked) == MASKED_BYTES == 656
    numbers = verifier_of(share(report.masked), VERIFICATION)
    verifier = encode(numbers)
    assert len(verifier) == VERIFIER_BYTES == 32
    assert [*read_verifiers([verifier] * 2)] == [tuple(numbers)] * 2


@pytest.mark.parametrize("place", range(ELEMENTS))
def test_a_report_with_another_element_is_refused(place: int) -> None:
    random = Random(place)
    elements = proven(measurement(random.randrange(MOST_WH + 1)))
    assert accepts(elements)
    for by in (1, MODULUS - 1, 1 << 63, random.randrange(1, MODULUS)):
        assert not accepts(changed(elements, place, by))


@given(st.integers(0, MOST_WH), st.integers(0, MASKED_BYTES * 8 - 1))
def test_a_message_with_another_bit_is_refused(wh: int, bit: int) -> None:
    report = Report.of(wh, NOON, KEY, SECRET)
    altered = (int.from_bytes(report.masked) ^ 1 << bit).to_bytes(MASKED_BYTES)
    try:
        elements = share(altered)
    except NotElements:
        return
    verifiers = verifier_of(elements, VERIFICATION), verifier_of(of_noon(report), VERIFICATION)
    assert not VERIFICATION.decide(*verifiers)


def value_of(measured: Sequence[int]) -> int:
    return outputs(measured)[0]


BIT_OF_TWO = [2, *[0] * (BITS - 1), 4]
NEGATIVE = [MODULUS - 19_000, *[0] * (BITS - 1), 19_000**2]
HUGE = [1_400_000_000, *[0] * (BITS - 1), 1_400_000_000**2]
HALF_OF_THE_FIELD = [1 << 63, *[0] * (BITS - 1), (1 << 126) % MODULUS]
FALSE_SQUARE = [*measurement(412)[:SQUARE], 413**2]
NO_SQUARE = [*measurement(412)[:SQUARE], 0]
CANCELLING = [1, 1, *[0] * (BITS - 2), 9]
CANCELLING[1] = MODULUS - 1
LIES = [BIT_OF_TWO, NEGATIVE, HUGE, HALF_OF_THE_FIELD, FALSE_SQUARE, NO_SQUARE, CANCELLING]


@pytest.mark.parametrize("measured", LIES)
def test_a_value_that_no_home_has_is_refused(measured: list[int]) -> None:
    """Its home computes the proof as for a value, or sets what the equations demand of it."""
    elements = proven(measured)
    assert not accepts(elements)
    for call, result in enumerate((*measured[:BITS], measured[SQUARE]), 1):
        elements[VALUES[2 * call]] = result % MODULUS
    assert not accepts(elements)


def test_no_random_proof_is_accepted() -> None:
    random = Random(7)
    verifications = [
        Verification(random.randbytes(32), NOON.direction, NOON.hour - timedelta(hours=hour))
        for hour in range(30)
    ]
    for measured in LIES:
        for verification in verifications:
            proof = [random.randrange(MODULUS) for _ in range(ELEMENTS - BITS - 1)]
            assert not accepts([*measured, *proof], verification)


@given(st.lists(st.integers(0, 1), min_size=BITS, max_size=BITS))
def test_every_combination_of_bits_is_a_value(bits: list[int]) -> None:
    """So a value that has two representations proves the same with both."""
    wh = value_of([*bits, 0])
    assert 0 <= wh <= MOST_WH
    assert accepts(proven([*bits, wh * wh]))


@given(st.integers(0, MOST_WH))
@example((1 << 15) - 1)
@example(1 << 15)
def test_each_value_has_bits(wh: int) -> None:
    """The last one where the value needs it alone, as the draft has it."""
    measured = measurement(wh)
    assert value_of(measured) == wh
    assert measured[BITS - 1] == (wh >= 1 << 15)


@pytest.mark.parametrize("place", range(4))
def test_a_collective_that_shifts_its_verifier_is_refused(place: int) -> None:
    """It learns nothing, as the wires are uniform to it."""
    report = Report.of(412, NOON, KEY, SECRET)
    of_witness = verifier_of(of_noon(report), VERIFICATION)
    shifted = changed(verifier_of(share(report.masked), VERIFICATION), place, 1)
    assert not VERIFICATION.decide(shifted, of_witness)


def test_verifiers_of_different_lengths_are_no_pair() -> None:
    with pytest.raises(ValueError, match="map"):
        VERIFICATION.decide([0, 0, 0], [0, 0, 0, 0])


@pytest.mark.parametrize("place", [0, BITS - 1, SQUARE])
def test_a_collective_that_shifts_a_measurement_is_refused(place: int) -> None:
    """It cannot add to a bit and correct the proof, as it knows only the proof's form."""
    report = Report.of(412, NOON, KEY, SECRET)
    zero = proven(measurement(0), (0, 0))
    other = proven([int(number == place) for number in range(BITS + 1)], (0, 0))
    difference = [(b - a) % MODULUS for a, b in zip(zero, other, strict=True)]
    shifted = added(share(report.masked), difference)
    verifiers = verifier_of(shifted, VERIFICATION), verifier_of(of_noon(report), VERIFICATION)
    assert not VERIFICATION.decide(*verifiers)


def test_a_report_is_verified_under_its_own_hour_direction_and_key() -> None:
    report = Report.of(412, NOON, KEY, SECRET)
    of_witness = verifier_of(of_noon(report), VERIFICATION)
    for other in (
        Verification(bytes(32), NOON.direction, NOON.hour),
        Verification(VERIFICATION_KEY, "injection", NOON.hour),
        Verification(VERIFICATION_KEY, NOON.direction, NOON.hour + timedelta(hours=1)),
    ):
        of_collective = verifier_of(share(report.masked), other)
        assert not VERIFICATION.decide(of_collective, of_witness)
    with pytest.raises(ValueError, match=r"^wrong-length name=verification key wanted=32$"):
        Verification(bytes(31), NOON.direction, NOON.hour)


def test_the_witness_sees_wires_that_are_uniform_whatever_the_value() -> None:
    """χ² of the bytes of 2,000 reports of one value: 330 is exceeded once in a thousand times."""
    for wh in (0, MOST_WH):
        opened = []
        for n in range(2_000):
            subject = replace(NOON, hour=NOON.hour + timedelta(hours=n))
            report = Report.of(wh, subject, KEY, SECRET)
            masks = masks_of(KEY.secret, subject, report.nonce)
            # All under one query; a witness has one for each hour.
            whole = added(share(report.masked), masks)
            opened.append(verifier_of(whole, VERIFICATION))
        assert {validity for validity, *_ in opened} == {0}
        for wire in (1, 2):
            assert chi_squared(encode(verifier[wire] for verifier in opened)) < 330


def test_masked_elements_look_like_random_bytes() -> None:
    reports = [
        Report.of(412, replace(NOON, hour=NOON.hour + timedelta(hours=n)), KEY, SECRET)
        for n in range(200)
    ]
    assert chi_squared(b"".join(report.masked for report in reports)) < 330
    for place in (0, SQUARE, SEEDS[0], VALUES[0], VALUES[-1]):
        assert len({share(report.masked)[place] for report in reports}) == len(reports)


def chi_squared(column: bytes) -> float:
    counts = Counter(column)
    expected = len(column) / 256
    return sum((counts[byte] - expected) ** 2 / expected for byte in range(256))


def test_a_report_is_a_function_of_hour_value_and_day_and_no_seed_serves_two_values() -> None:
    tomorrow = KEY.on(TODAY + timedelta(days=1))
    later = replace(NOON, hour=NOON.hour + timedelta(hours=1))
    made: dict[tuple[int, object, date, bytes], Report] = {}
    seeds = set[int]()
    for wh in (0, 1, 412):
        for subject in (NOON, later):
            for key in (KEY, tomorrow):
                for secret in (SECRET, KEY.secret):
                    report = Report.of(wh, subject, key, secret)
                    assert report == Report.of(wh, subject, key, secret)
                    made[wh, subject, key.day, secret] = report
                    masks = masks_of(key.secret, subject, report.nonce)
                    whole = added(share(report.masked), masks)
                    seeds |= {whole[place] for place in SEEDS}
    assert len({report.nonce for report in made.values()}) == len(made) == 3 * 2 * 2 * 2
    assert len(seeds) == 2 * len(made)


def test_masks_depend_on_key_subject_and_nonce() -> None:
    made = [
        masks_of(secret, subject, nonce)
        for secret in (bytes(32), bytes([*bytes(31), 1]))
        for subject in (NOON, replace(NOON, direction="injection"))
        for nonce in (bytes(16), bytes([*bytes(15), 1]))
    ]
    assert len({mask for masks in made for mask in masks}) == 8 * ELEMENTS


@pytest.mark.parametrize("wh", [-1, MOST_WH + 1])
def test_values_beyond_any_contract_are_not_reported(wh: int) -> None:
    with pytest.raises(ValueError, match=r"^out-of-range most=36000$"):
        Report.of(wh, NOON, KEY, SECRET)


def test_a_nonce_secret_has_32_bytes() -> None:
    with pytest.raises(ValueError, match=r"^wrong-length name=nonce secret wanted=32$"):
        Report.of(1, NOON, KEY, SECRET[1:])


@pytest.mark.parametrize("place", [0, SQUARE, ELEMENTS - 1])
@pytest.mark.parametrize("number", [MODULUS, MODULUS + 1, (1 << 64) - 1])
def test_numbers_that_are_no_elements_are_refused(place: int, number: int) -> None:
    elements = list(share(Report.of(412, NOON, KEY, SECRET).masked))
    elements[place] = number
    with pytest.raises(NotElements, match=f"^not-elements place={place}$"):
        share(encode(elements))


@pytest.mark.parametrize("lengths", [(31, 33), (32, 40), (24,), (0,)])
def test_verifiers_of_another_length_are_refused(lengths: tuple[int, ...]) -> None:
    with pytest.raises(NotElements, match=r"^not-elements wanted=32$"):
        read_verifiers([bytes(length) for length in lengths])


@pytest.mark.parametrize("length", [0, 8, MASKED_BYTES - 8, MASKED_BYTES - 1, 664])
def test_a_report_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(NotElements, match=r"^not-elements wanted=656$"):
        share(bytes(length))


def test_the_largest_element_is_one() -> None:
    assert decode(encode([MODULUS - 1, 0]), 2) == (MODULUS - 1, 0)


def test_a_subject_is_encoded_with_every_field() -> None:
    subjects = [
        NOON,
        Subject("energies.exampl", "consumption", NOON.hour),
        Subject(NOON.collective, "injection", NOON.hour),
        Subject(NOON.collective, NOON.direction, NOON.hour + timedelta(hours=1)),
        # The end of a name is not taken for the beginning of the next.
        Subject("energies.examplecon", "consumption", NOON.hour),
    ]
    assert len({subject.encoded() for subject in subjects}) == len(subjects)


@pytest.mark.parametrize(
    "hour",
    [
        datetime(2026, 11, 28, 12, 30, tzinfo=UTC),
        datetime(2026, 11, 28, 12),  # noqa: DTZ001
        datetime(2026, 11, 28, 12, tzinfo=timezone(timedelta(hours=1))),
    ],
)
def test_a_subject_is_an_hour_of_utc(hour: datetime) -> None:
    with pytest.raises(ValueError, match=r"^not-an-hour$"):
        Subject(NOON.collective, NOON.direction, hour)
