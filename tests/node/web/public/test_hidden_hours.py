"""Hidden figures look alike to readers: too few homes, a large one, or the witness."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
import re

from consometers_node.collective.disclosure.reasons import Reason
from consometers_node.collective.settings import PageSettings
from consometers_node.series import Direction, Interval
from consometers_node.store import Store
from consometers_node.web.public.routes import LOOKS
from testing.databases.fixtures import Place
from testing.pages.town import NOW, ReleasedTown, hours_of, serving, settings

DAYS = [NOW.date() - timedelta(days=ago) for ago in (2, 1)]
HIDDEN = hours_of(*DAYS)[20:30]
"""Of two days."""
NAMED = ("place", "challenge")
"""Parameters of addresses of buildings, communes and challenges; this town has none."""
FILLED = {"month": "2026-06", "year": "2026", "day": str(DAYS[0]), "quantity": "consumption"}


def paths() -> list[str]:
    """Return each public address of a period with hidden figures."""
    everything = FILLED | {"group": "all", "first": str(DAYS[0]), "last": str(DAYS[1])}
    return [
        re.sub(r"\{(\w+)(?:[^{}]|\{\d+\})*\}", lambda name: everything[name[1]], path)
        for path in LOOKS
        if not any("{" + name in path for name in NAMED)
        for everything["interval"] in (("PT1H", "P1D", "P1M") if "{interval}" in path else ("",))
        for everything["last"] in (str(DAYS[1]), f"{DAYS[1]}.csv")[: 2 if "{last}" in path else 1]
    ]


async def read(folder: Path, place: Place, reason: Reason) -> dict[str, str]:
    """Return all answers of a town whose hours and days are partly hidden, for a given reason."""
    store = await Store.open(place)
    # The wall's QR code and the picture of a link have the public address, the same for each town.
    page = PageSettings(names=("energies.example",))
    town = ReleasedTown(store, settings(folder, page=page))
    everybody = await town.group()
    await town.join(everybody, 12)
    shown = [hour for hour in hours_of(*DAYS) if hour not in HIDDEN]
    watts = {direction: dict.fromkeys(shown, 500) for direction in Direction}
    await town.release(everybody, watts, members=12, in_part=True)
    for direction in Direction:
        await town.close(shown, direction=direction, responses=12)
        await town.close(HIDDEN, reason, direction=direction, responses=12)
        days = [hours_of(day)[0] for day in DAYS]
        await town.close(days, reason, direction=direction, interval=Interval.P1D, responses=12)
    async with serving(town) as served:
        pages = {
            f"{language} {path}": (await served.browser(language).open(path[1:])).html
            for language in ("en", "fr")
            for path in paths()
        }
    await store.close()
    here = served.url.authority
    return {path: page.replace(here, "") for path, page in pages.items()}


async def test_every_public_address_reads_the_same_for_each_reason(
    tmp_path: Path, new_database: Callable[[str], Awaitable[Place]], socket_enabled: None
) -> None:
    few, dominated, refused = [
        await read(tmp_path, await new_database("sqlite"), reason)
        for reason in (Reason.BELOW_THRESHOLD, Reason.DOMINANCE, Reason.NOT_OPENED)
    ]
    first, last = DAYS
    for path in (f"/data/consumption/by/all/PT1H/from/{first}/to/{last}", f"/day/{first}.csv"):
        assert Reason.BELOW_THRESHOLD in few[f"en {path}"]
    assert "or a few of them make most of it" in few[f"en /day/{first}"]
    for path, page in few.items():
        assert dominated[path] == page, path
        assert refused[path] == page, path
