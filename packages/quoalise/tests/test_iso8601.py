"""Times and durations as text."""

from datetime import UTC, datetime

from hypothesis import given
import pytest

from consometers_quoalise import Duration
from consometers_quoalise.iso8601 import duration, moment, shown

from .samples import DURATIONS, MOMENTS


@pytest.mark.parametrize(
    ("sent", "expected", "written"),
    [
        ("PT5M", Duration(seconds=300), "PT5M"),
        ("PT30M", Duration(seconds=1800), "PT30M"),
        ("PT60M", Duration(seconds=3600), "PT1H"),
        ("PT1H", Duration(seconds=3600), "PT1H"),
        ("PT1H30M15S", Duration(seconds=5415), "PT1H30M15S"),
        ("P1D", Duration(days=1), "P1D"),
        ("PT24H", Duration(seconds=86400), "PT24H"),
        ("P2W", Duration(days=14), "P14D"),
        ("P1Y6M", Duration(years=1, months=6), "P1Y6M"),
        ("P3Y6M4DT12H30M5S", Duration(years=3, months=6, days=4, seconds=45005), None),
        ("PT0S", Duration(), "PT0S"),
        ("P0D", Duration(), "PT0S"),
        (" P1D ", Duration(days=1), "P1D"),
    ],
)
def test_durations_are_read(sent: str, expected: Duration, written: str | None) -> None:
    assert duration(sent) == expected
    assert str(expected) == (written or sent)


@given(DURATIONS)
def test_durations_round_trip(sent: Duration) -> None:
    assert duration(str(sent)) == sent


@pytest.mark.parametrize(
    "sent",
    [
        "2021-12-01T00:00:00+01:00",
        "2021-12-01T00:00+01:00",
        "2021-12-01 00:00:00+0100",
        "2021-12-01T00:00:00.000+01",
        "2021-11-30T23:00:00Z",
        "2021-11-30t23:00:00z",
        " 2021-11-30T24:00:00+01:00\n",
    ],
)
def test_times_are_read(sent: str) -> None:
    assert moment(sent) == datetime(2021, 11, 30, 23, tzinfo=UTC)


def test_times_keep_their_offset_and_utc_is_written_without_z() -> None:
    """3.7 reads +00:00, and no Z."""
    assert shown(moment("2021-12-01T00:00:00+01:00")) == "2021-12-01T00:00:00+01:00"
    assert shown(moment("2021-12-01T00:00:00Z")) == "2021-12-01T00:00:00+00:00"


@given(MOMENTS)
def test_times_round_trip(time: datetime) -> None:
    assert moment(shown(time)) == time
