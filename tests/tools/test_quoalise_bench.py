"""The benchmark of the protocol: that it measures what it says."""

import pytest

from consometers_quoalise.records import data
from tools.bench.network import quoalise


def test_the_message_is_a_month_of_hours_in_the_compact_form() -> None:
    month = quoalise.message()
    assert len(month) == 744
    assert data.decode(data.encode(month)) == month
    assert data.encode(month).count(b"bt=") == 1


def test_reading_and_writing_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert quoalise.main(["--rounds", "3"]) in (0, 1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7
    assert [line.split()[-1] for line in lines if "alone" in line] == ["1.00", "1.00"]
