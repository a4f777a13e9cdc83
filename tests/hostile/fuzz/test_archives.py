"""What a collective answers with a copy of its data, and dates of witnesses and certificates."""

from datetime import UTC
import io
import struct
from typing import Any
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZIP_ZSTANDARD, ZipFile
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from consometers_node.collective.monitoring.certificates import Certificate
from consometers_node.sharing.access_requests import (
    DOCUMENT,
    MOST_BYTES,
    RECORDS,
    is_readable,
)
from consometers_node.web.core.speech import Language
from consometers_node.wire.witness_requests import (
    BadBody,
    DepartureReceipt,
    EnrolmentReceipt,
    OpeningsSummary,
)
from testing.homes.archives import GOOD, NO_DEFLATE, packed
from testing.hostile.documents import NASTY, damaged
from testing.hostile.exploring import check_words, explore
from testing.witnesses.requests import ENROLMENT, HEAD, NOW, SUMMARY

METHODS = (ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA, ZIP_ZSTANDARD)
ARCHIVES = [packed(method, export_json='{"member": "é"}', records_csv="t") for method in METHODS]


def long_list() -> bytes:
    """Return as many bytes as an answer may have, most of them a list of files."""
    end = GOOD.rindex(b"PK\x05\x06")
    first = GOOD.index(b"PK\x01\x02")
    entry = GOOD[first : GOOD.index(b"PK\x01\x02", first + 1)]
    count = MOST_BYTES // len(entry)
    listed = struct.pack("<HHII", 2, 2, count * len(entry), first)
    return GOOD[:first] + entry * count + GOOD[end : end + 8] + listed + GOOD[end + 20 :]


def test_archives_are_read_or_refused() -> None:
    def check(content: bytes) -> None:
        file = io.BytesIO(content)
        if is_readable(file):
            with ZipFile(file) as archive:
                assert sorted(archive.namelist()) == [DOCUMENT, RECORDS]
                assert all(archive.read(name) is not None for name in archive.namelist())

    explore(
        "archives",
        120,
        check,
        st.sampled_from(ARCHIVES).flatmap(damaged) | st.binary(max_size=60),
        regressions=[(each,) for each in (NO_DEFLATE, *ARCHIVES, long_list())],
    )


def test_a_whole_archive_is_readable() -> None:
    assert is_readable(io.BytesIO(GOOD))


PLACES = [
    *(Language(tag, ZoneInfo("Europe/Paris")) for tag in ("en", "fr")),
    Language("fr", ZoneInfo("Pacific/Kiritimati")),
    Language("fr", ZoneInfo("America/Adak")),
]
"""Ahead of UTC and behind it: an instant that is shown is in the years of Python in each."""
type Receipt = EnrolmentReceipt | DepartureReceipt | OpeningsSummary
RECEIPTS: dict[type[Receipt], dict[str, Any]] = {
    EnrolmentReceipt: EnrolmentReceipt(NOW, ENROLMENT.mac(NOW), HEAD).body(),
    DepartureReceipt: DepartureReceipt(NOW).body(),
    OpeningsSummary: SUMMARY.body(),
}


def test_dates_that_are_accepted_can_be_shown() -> None:
    def check(date: str, certificate: tuple[str, str]) -> None:
        instants = []
        for kind, body in RECEIPTS.items():
            for name in ("enrolled_at", "left_at"):
                try:
                    receipt = kind.read(body | {name: date})
                except BadBody as bad:
                    check_words(bad.text)
                else:
                    instants.append(getattr(receipt, name, None))
        read = Certificate.read("a", dict(zip(("notBefore", "notAfter"), certificate, strict=True)))
        for at in (read.begins, read.ends, *instants):
            for language in PLACES:
                assert at is None or language.moment(at)
        assert read.is_ending(NOW.astimezone(UTC)) in {True, False}

    dates = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat(timespec="seconds"))
    ends = st.builds(
        "{} {:2} {} {} GMT".format,
        st.sampled_from(["Jan", "Feb", "Dec"]),
        st.integers(1, 28),
        st.sampled_from(["00:00:00", "23:59:59"]),
        st.integers(1, 9999).map("{:04}".format),
    )
    last, first = "Dec 31 23:59:59 9999 GMT", "Jan  1 00:00:00 0001 GMT"
    explore(
        "dates",
        100,
        check,
        NASTY | dates,
        st.tuples(ends, ends),
        regressions=[
            ("9999-12-31T23:59:59+00:00", (first, last)),
            ("0001-01-01T00:00:00+00:00", (last, first)),
        ],
    )
