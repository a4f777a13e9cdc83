"""`publication`: what there would be is seen first, then the collective is opened, and closed."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
import re

import pytest

from consometers_node.cli.collective.command import CollectiveSession
from consometers_node.cli.collective.publication import follow
from consometers_node.cli.core import control_socket
from consometers_node.cli.core.output import Output, Reached
from consometers_node.collective.permissions import needs
from consometers_node.collective.publication.policy import AT_ONCE, open_from
from consometers_node.collective.settings_file import read
from consometers_node.i18n.text import Text
from consometers_node.store import Store
from testing.collectives.members import meter
from testing.collectives.records import HOUR, pushed_data, running_queue
from testing.commands.collective import admit_homes, close_due, now, opened, writing
from testing.commands.fixtures import Run
from testing.homes.data_needs import PROTECTED
from testing.run import DEADLINE_S

_DAYS = 29


async def settle(folder: Path, homes: int = 10) -> Store:
    """Admit homes whose past is there."""
    names = [f"home{n}" for n in range(homes)]
    await admit_homes(folder, *names)
    store = await opened(folder)
    start = now().replace(minute=0, second=0) - timedelta(days=_DAYS)
    async with running_queue(store) as queue:
        for name in names:
            data = pushed_data(meter(name), start, [500] * 24 * _DAYS, interval=HOUR)
            await queue.keep(f"{name}@example.org", data)
    return store


async def test_preview_shows_future_sums_and_publishes_none(run: Run, coop: Path) -> None:
    store = await settle(coop)
    seen = await run.json("publication", "preview")
    assert set(seen) == {"day", "month", "year"}
    day = seen["day"]
    assert day["everybody"] == {"published": 24, "not_published": {}}
    text = await run("publication", "preview", language="fr")
    assert "24 publiés" in text.out
    assert "attendez que l’historique de vos fondateurs soit arrivé" in text.out
    assert (await run.json("status"))["opens"] is None
    await store.close()


async def test_preview_without_any_figure_says_so(run: Run, coop: Path) -> None:
    """An empty table would look like a result."""
    for language, words in (("en", "No figures"), ("fr", "Aucun chiffre")):
        shown = (await run("publication", "preview", language=language)).out
        assert shown.startswith(words)
        assert len(shown.splitlines()) == 1


async def test_half_hours_cannot_be_published_with_protected_sums(
    run: Run, coop: Path, environment: dict[str, str]
) -> None:
    async with writing(coop) as connection:
        await needs.offer(connection, PROTECTED, now())
    environment["CONSOMETERS_PUBLICATION_INTERVAL"] = "PT30M"
    refused = await run("publication", "open", "--yes", language="fr")
    assert refused.status == 1
    assert "demande des sommes protégées" in refused.err
    environment["CONSOMETERS_PUBLICATION_INTERVAL"] = "PT1H"
    await run("publication", "open", "--yes")
    assert (await run.json("status"))["opens"] is not None


async def test_publication_is_opened_and_closed(run: Run, coop: Path) -> None:
    result = await run("publication", "open", "--json")
    assert result.status != 0
    assert result.condition == "not-confirmed"
    assert (await run.json("status"))["opens"] is None
    assert await run.json("publication", "open", "--from", "2027-01-01", "--yes") == {
        "opens": "2027-01-01"
    }
    # There is no history that could be lost.
    result = await run("publication", "open", "--yes")
    assert result.status == 0
    assert result.out.endswith("Sums are published from now on. Published figures stay.\n")
    assert (await run.json("status"))["opens"] == AT_ONCE.isoformat()
    result = await run("publication", "close", language="fr")
    assert "d’ici la réouverture" in result.out
    assert (await run.json("status"))["opens"] is None
    assert (await run("publication", "open", "--from", "tomorrow")).status == 2


async def test_opening_says_what_it_publishes_and_hides(run: Run, coop: Path) -> None:
    store = await settle(coop)
    result = await run("publication", "open", "--yes", language="fr")
    assert result.status == 0
    assert "10 membres partagent" in result.out
    # The last day is not over, and neither are its hours counted.
    shown = 24 * (_DAYS - 1)
    (published,) = re.findall(r"(\d+) publiés", result.out)
    assert shown <= int(published) <= shown + 24
    await store.close()


async def test_opening_in_vain_needs_a_second_confirmation(run: Run, coop: Path) -> None:
    """Nine founders would lose their history by it: ten homes are needed."""
    store = await settle(coop, homes=9)
    result = await run("publication", "open", "--yes")
    assert result.status == 1
    assert "9 members share" in result.out
    assert "0 published" in result.out
    assert "× too few homes" in result.out
    assert "wait for more homes" in result.err
    assert (await run.json("status"))["opens"] is None
    assert (await run("publication", "open", "--yes", "--without-history")).status == 0
    assert (await run.json("status"))["opens"] is not None
    await store.close()


async def test_an_open_collective_is_not_opened_again(run: Run, coop: Path) -> None:
    await run("publication", "open", "--yes")
    before = await run.json("status")
    result = await run("publication", "open")
    assert result.status == 0
    assert "The collective has been open since 20" in result.out
    assert await run.json("status") == before
    assert await run.json("publication", "open") == {"opens": AT_ONCE.isoformat()}


class Watched(Output):
    """A terminal's output that stores its progress."""

    def __init__(self) -> None:
        super().__init__()
        self.shares: list[float] = []
        self.moved = asyncio.Event()

    @contextmanager
    def progress(self, words: Text, total: float) -> Iterator[Reached]:
        def reached(done: float) -> None:
            self.shares.append(done / total)
            self.moved.set()

        yield reached


async def test_opening_at_a_terminal_shows_the_progress(
    coop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = await settle(coop)
    coop_settings, output, at = read(coop / "collective.toml", {}), Watched(), now()
    session = CollectiveSession(store, coop_settings, output)
    async with store.writing() as connection:
        await open_from(connection, AT_ONCE, "operator", at)

    # Nothing runs that could publish it.
    await follow(session, None)
    assert "once the node is on the network" in capsys.readouterr().out

    status: control_socket.Status = {"account": "coop@example.org", "online": True}
    following = asyncio.create_task(follow(session, status))
    while await close_due(store, coop_settings.publication, now()):
        output.moved.clear()
        waits = asyncio.create_task(output.moved.wait())
        await asyncio.wait({waits, following}, return_when=asyncio.FIRST_COMPLETED)
        waits.cancel()
    async with asyncio.timeout(DEADLINE_S):
        await following
    assert output.shares == sorted(output.shares)
    assert 0 < output.shares[-1] < 1
    assert "The history is published." in capsys.readouterr().out
    await store.close()
