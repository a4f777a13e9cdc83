"""What the terminal says while the past of the homes arrives."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from demo.collectives import federation
from demo.collectives.around import ProgressPrinter, PublishedPrinter
from demo.collectives.collective import Collective
from demo.collectives.federation import SMALL, Federation
from demo.collectives.neighbours import Progress
from demo.processes.warm import Warm

TODAY = datetime.now(UTC).date()


class Publishing(Collective):
    """A collective whose open data begin earlier each time that they are read."""

    def __init__(self, days: list[int | None]) -> None:
        self._days = days

    async def published_since(self) -> date | None:
        days = self._days.pop(0)
        return None if days is None else TODAY - timedelta(days)


@pytest.mark.usefixtures("socket_enabled")
async def test_a_month_is_published_once_an_earlier_one_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(federation, "_LOOKS_EVERY_S", 0)
    whole = Federation(tmp_path, SMALL, lambda _: None, cast("Warm", None))
    heard: list[int] = []
    collective = Publishing([None, 60, 60, 90, 120, 363, 400])
    await whole._follow(collective, 365, lambda _, since: heard.append((TODAY - since).days))
    assert heard == [60, 90, 120]
    assert await collective.published_since() == TODAY - timedelta(400)


@pytest.mark.usefixtures("socket_enabled")
def test_three_new_months_make_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = Federation(tmp_path, SMALL, lambda _: None, cast("Warm", None))
    tell = PublishedPrinter()
    for month in range(12, 0, -1):
        tell(whole.cooperative, date(2026, month, 1))
    tell(whole.municipality, date(2026, 1, 1))
    assert [line.split(maxsplit=4)[4] for line in capsys.readouterr().out.splitlines()] == [
        *(f"2026-{month:02}-01, Énergies de Kersabiec" for month in (12, 9, 6, 3)),
        "2026-01-01, Lorient (démonstration)",
    ]
    PublishedPrinter(quiet=True)(whole.cooperative, TODAY)
    assert not capsys.readouterr().out


def test_what_is_requested_is_not_said_to_be_published(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell = ProgressPrinter()
    tell(Progress(homes=53, joined=12))
    tell(Progress(homes=53, joined=53, collected=1.0))
    assert [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()] == [
        "Foyers / Homes 12/53",
        "Foyers / Homes 53/53, passé demandé / past requested 100%",
    ]
