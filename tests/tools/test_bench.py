"""The benchmarks: that they measure what they say."""

import sys
from types import ModuleType
from typing import Any

import pytest

from tools.bench import (
    __main__ as bench,
    closing,
    collective,
    corruption,
    growth,
    node,
    pages,
    public,
    quoalise,
    tic,
)
from tools.bench.meters import METERS, frames
from tools.bench.process import Memory


@pytest.mark.parametrize("name", corruption.NAMES)
def test_each_check_lets_less_pass_than_the_one_before(name: str) -> None:
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


SQLITE = ("--database", "sqlite")


@pytest.mark.parametrize(
    ("subcommand", "arguments", "figures", "status"),
    [
        (pages, (), [(pages, "_measure", 0.09), (public, "measure", 0.08)], 0),
        (pages, (), [(pages, "_measure", 0.11), (public, "measure", 0.08)], 1),
        (pages, (), [(pages, "_measure", 0.09), (public, "measure", 0.11)], 1),
        (node, (), [(node, "_measure", Memory(70, 70, 50))], 0),
        (node, (), [(node, "_measure", Memory(71, 71, 50))], 1),
        (closing, SQLITE, [(closing, "_measure", True), (closing, "_grow", True)], 0),
        (closing, SQLITE, [(closing, "_measure", False), (closing, "_grow", True)], 1),
        (closing, SQLITE, [(closing, "_measure", True), (closing, "_grow", False)], 1),
        (collective, SQLITE, [(collective, "_measure", True), (growth, "measure", True)], 0),
        (collective, SQLITE, [(collective, "_measure", True), (growth, "measure", False)], 1),
    ],
)
def test_an_aim_that_is_missed_is_a_status(
    monkeypatch: pytest.MonkeyPatch,
    subcommand: ModuleType,
    arguments: tuple[str, ...],
    figures: list[tuple[ModuleType, str, object]],
    status: int,
) -> None:
    def measured(figure: object) -> Any:
        async def measure(*_: object) -> object:
            return figure

        return measure

    for module, name, figure in figures:
        monkeypatch.setattr(module, name, measured(figure))
    assert subcommand.main(list(arguments)) == status


@pytest.mark.parametrize(
    ("reading", "writing", "status"), [(1.7, 2.0, 0), (1.71, 1.0, 1), (1.0, 2.01, 1)]
)
def test_reading_and_writing_each_have_an_aim(
    monkeypatch: pytest.MonkeyPatch, reading: float, writing: float, status: int
) -> None:
    ratios = {"read": reading, "write": writing}
    monkeypatch.setattr(quoalise, "_compare", lambda what, *_: ratios[what])
    assert quoalise.main(["--rounds", "1"]) == status
