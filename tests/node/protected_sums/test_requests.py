"""Bodies of what a home asks of its witness, and their MACs."""

from dataclasses import replace
from datetime import UTC, timedelta, timezone
import hmac
import json
import time
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
import pytest

from consometers_node.series import Direction
from consometers_node.wire.witness_requests import (
    BadBody,
    Call,
    DepartureReceipt,
    EnrolmentReceipt,
    EnrolmentRequest,
    OpeningsSummary,
    SignedRequest,
    written,
)
from consometers_protected_sums.heads import Head
from testing.witnesses.requests import (
    CODE,
    COLLECTIVE,
    ENROLMENT,
    HEAD,
    KEY,
    NOW,
    PSEUDONYM,
    SECRET,
    SUMMARY,
)


def over_the_wire(body: object) -> Any:
    return json.loads(json.dumps(body))


def test_bodies_survive_a_round_trip() -> None:
    signed = SignedRequest.of(
        *(Call.OPENINGS, COLLECTIVE, PSEUDONYM, NOW, KEY.authentication_key()), heads=(HEAD,)
    )
    assert signed.heads == (HEAD,)
    receipt = EnrolmentReceipt(NOW, ENROLMENT.mac(NOW), HEAD)
    assert EnrolmentRequest.read(over_the_wire(ENROLMENT.body())) == ENROLMENT
    assert EnrolmentReceipt.read(over_the_wire(receipt.body())) == receipt
    assert SignedRequest.read(over_the_wire(signed.body()), call=Call.OPENINGS) == signed
    assert DepartureReceipt.read(over_the_wire(DepartureReceipt(NOW).body())).left_at == NOW
    for summary in (SUMMARY, replace(SUMMARY, left_at=NOW, least_homes=None, homes=None)):
        assert OpeningsSummary.read(over_the_wire(summary.body())) == summary


def test_macs_match_the_documentation() -> None:
    """Computed here with another library."""
    key = HKDF(SHA256(), 32, salt=None, info=b"authentication").derive(SECRET)
    signed = SignedRequest.of(Call.DEPARTURES, COLLECTIVE, PSEUDONYM, NOW, KEY.authentication_key())
    words = f"departures\n{COLLECTIVE}\n{PSEUDONYM}\n2026-11-29T10:00:00+00:00"
    assert signed.mac == hmac.digest(key, words.encode(), "sha256")
    words = f"enrolments\n{COLLECTIVE}\n{PSEUDONYM}\n{'ab' * 32}\n2026-11-29T10:00:00+00:00"
    assert ENROLMENT.mac(NOW) == hmac.digest(key, words.encode(), "sha256")


def test_mac_is_valid_for_its_own_request_alone() -> None:
    key = KEY.authentication_key()
    signed = SignedRequest.of(Call.DEPARTURES, COLLECTIVE, PSEUDONYM, NOW, key)
    assert signed.is_authentic(key)
    assert not signed.is_authentic(bytes(32))
    for other in (
        replace(signed, call=Call.OPENINGS),
        replace(signed, collective="other@energies.example"),
        replace(signed, pseudonym="1" + PSEUDONYM[1:]),
        replace(signed, at=NOW.replace(second=1)),
    ):
        assert not other.is_authentic(key)


def test_a_receipt_proves_that_its_writer_has_the_key() -> None:
    receipt = EnrolmentReceipt(NOW, ENROLMENT.mac(NOW), HEAD)
    assert receipt.proves(ENROLMENT)
    assert not replace(receipt, enrolled_at=NOW.replace(second=1)).proves(ENROLMENT)
    other = replace(ENROLMENT, key=bytes(32))
    assert not receipt.proves(other)


@pytest.mark.parametrize(
    "enrolment",
    [
        replace(ENROLMENT, collective="c", need="n"),
        # As long as the longest JID (RFC 7622 §3.1).
        replace(ENROLMENT, collective="c" * 3071),
        replace(ENROLMENT, version=2**31 - 1, minimum=3),
        replace(ENROLMENT, directions=frozenset({Direction.PRODUCTION})),
        replace(ENROLMENT, directions=frozenset(Direction)),
    ],
    ids=["shortest", "longest", "numbers", "one direction", "all directions"],
)
def test_the_extremes_of_each_field_are_read(enrolment: EnrolmentRequest) -> None:
    assert EnrolmentRequest.read(over_the_wire(enrolment.body())) == enrolment


def test_no_hour_may_be_opened_or_invalid() -> None:
    summary = replace(SUMMARY, opened={Direction.CONSUMPTION: 0}, invalid=0)
    assert OpeningsSummary.read(over_the_wire(summary.body())) == summary


def test_the_first_key_is_of_the_day_of_the_enrolment() -> None:
    assert ENROLMENT.day_key == KEY


def test_instants_are_written_in_utc_whatever_the_zone_of_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both ends compute MACs over them."""
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()
    try:
        for zone in (UTC, timezone(timedelta(hours=2))):
            assert written(NOW.astimezone(zone)) == "2026-11-29T10:00:00+00:00"
    finally:
        monkeypatch.undo()
        time.tzset()


HINTS = {
    "collective": "a text without line breaks",
    "pseudonym": "a UUID in lower case",
    "need": "a text without line breaks",
    "version": "a whole number from 1 on",
    "need_sha256": "a SHA-256",
    "minimum": "a whole number from 3 on",
    "directions": "a list of directions without repetition: consumption, injection, production.",
    "day": "a date such as",
    "key": "32 bytes in base64url",
    "code": "four groups of five letters",
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("collective", ""),
        ("collective", "a\nb"),
        ("collective", "a" * 4000),
        ("pseudonym", PSEUDONYM.upper()),
        ("pseudonym", PSEUDONYM.replace("-", "")),
        ("need", None),
        ("version", 0),
        ("version", True),
        ("version", "1"),
        ("need_sha256", "AB" * 32),
        ("minimum", 2),
        ("minimum", 2**31),
        ("directions", []),
        ("directions", ["consumption", "consumption"]),
        ("directions", ["consumption", ["injection"]]),
        ("directions", "consumption"),
        ("day", "20261129"),
        ("day", "2026-02-30"),
        ("day", "0001-01-01"),
        ("day", "9999-12-31"),
        ("key", "AAAA"),
        ("key", "A" * 43 + "="),
        ("key", "A" * 42 + "B"),
        ("key", "+" * 43),
        ("key", 7),
        ("code", None),
        ("code", CODE.lower()),
        ("code", CODE.replace("-", "")),
        ("code", CODE[:-1]),
        ("code", CODE[:-1] + "A"),
    ],
)
def test_a_malformed_field_is_named_with_its_form_in_both_languages(
    field: str, value: object
) -> None:
    with pytest.raises(BadBody) as refused:
        EnrolmentRequest.read(ENROLMENT.body() | {field: value})
    assert f"“{field}” is missing or malformed: {HINTS[field]}" in refused.value.text.say("en")
    assert f"« {field} »" in refused.value.text.say("fr")
    assert HINTS[field] not in refused.value.text.say("fr")


def test_four_heads_are_read_each_as_it_is() -> None:
    heads = tuple(Head.of(bytes([n]) * 32, n, bytes(32)).packed() for n in range(4))
    enrolment = replace(ENROLMENT, heads=heads)
    assert EnrolmentRequest.read(over_the_wire(enrolment.body())) == enrolment


_WRITTEN_HEAD = ENROLMENT.body()["heads"][0]


@pytest.mark.parametrize(
    ("heads", "hint"),
    [
        (None, "a list of at most 4 heads: each 80 bytes in base64url"),
        (_WRITTEN_HEAD, "a list of at most 4 heads"),
        ([_WRITTEN_HEAD] * 5, "a list of at most 4 heads"),
        (["AAAA"], "80 bytes in base64url"),
        ([_WRITTEN_HEAD, _WRITTEN_HEAD[:-2]], "80 bytes in base64url"),
    ],
    ids=["missing", "no list", "too many", "short", "second short"],
)
def test_heads_are_at_most_four_of_one_size(heads: object, hint: str) -> None:
    with pytest.raises(BadBody, match=f"“heads” is missing or malformed: {hint}"):
        EnrolmentRequest.read(ENROLMENT.body() | {"heads": heads})


def test_a_summary_counts_hours_by_word() -> None:
    with pytest.raises(BadBody, match="an object of whole numbers"):
        OpeningsSummary.read(SUMMARY.body() | {"opened": [720]})


@pytest.mark.parametrize(
    "at",
    [
        None,
        3,
        "2026-11-29",
        "2026-11-29T10:00:00",
        "2026-11-29T11:00:00+01:00",
        "9999-12-31T23:59:59+00:00",
        "0001-01-01T00:00:00+00:00",
    ],
)
def test_an_instant_is_in_utc_to_the_second_and_within_the_protocols_times(at: object) -> None:
    with pytest.raises(BadBody, match="“left_at”"):
        DepartureReceipt.read({"left_at": at})


@pytest.mark.parametrize("body", [None, [], "enrolment", 3])
def test_a_body_is_an_object(body: object) -> None:
    with pytest.raises(BadBody):
        EnrolmentRequest.read(body)
