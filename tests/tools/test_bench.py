"""The benchmarks: that they measure what they say."""

import sys

import pytest

from tools.bench import __main__ as bench
from tools.bench.home import hosting
from tools.bench.meter import corruption, tic
from tools.bench.meter.meters import METERS, frames


@pytest.mark.parametrize("name", corruption.NAMES)
def test_each_check_finds_more_corruption(name: str) -> None:
    sent = frames(name, 300)
    counts = corruption.measure(sent, METERS[name][0], corruption.flipped_bits, seed=1)
    assert counts["altered"] > counts["checksum"] > counts["checks"] >= counts["believed"]
    assert counts["believed"] == 0


@pytest.mark.full
def test_decoding_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    status = tic.main(["--frames", "5", "--rounds", "2"])
    text = capsys.readouterr().out
    assert "times as fast" in text
    assert text.count("µs/frame") == 3 + 2 * len(METERS)
    assert status in (0, 1)


def test_homes_of_a_host_are_measured(
    capsys: pytest.CaptureFixture[str], socket_enabled: None
) -> None:
    hosting.main(["--homes", "20", "--awake", "2"])
    text = capsys.readouterr().out
    assert text.startswith("20 homes asleep: ")
    assert "kB of memory each" in text
    assert "times opening and reading the bare file" in text


def test_a_benchmark_is_chosen_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, status in (["--help"], 0), ([], 0), (["nothing"], 2):
        monkeypatch.setattr(sys, "argv", ["bench", *arguments])
        assert bench.main() == status
        shown = "".join(capsys.readouterr())
        assert all(name in shown for name in bench.SUBCOMMANDS)
    monkeypatch.setattr(sys, "argv", ["bench", "corruption", "--frames", "5", "--rounds", "1"])
    assert bench.main() == 0
    assert "| standard |" in capsys.readouterr().out
