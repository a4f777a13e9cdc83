"""A collective's public pages and open data: 10,000 members, 5 years, each request by itself."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
import gc
from itertools import chain
import json
from math import cos, sin, tau
from pathlib import Path
import random
from statistics import median
import tempfile
import time

from sqlalchemy import insert

from consometers_node.collective.members.sites import Building, Description
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.collective.groups import GroupKind
from consometers_node.store.collective.tables import GroupId, GroupMembershipRow, MemberRow
from testing.pages.town import NOW, ReleasedTown, day_of, serving, settings
from tools.bench.harness.timing import p95, summary

MEMBERS, AREAS, SITES, YEARS = 10_000, 30, 20, 5
COMPARED_DAYS = 530
"""What each building publishes: the year that is asked for, and the one before in part."""
POINTS = 300
"""Of the outline of each commune, as a map of the size of a department has them."""
ROUNDS = 100
_SITE = "site-0"
_SCHOOL = Description(building=Building.SCHOOL, peak_kwp=36, surface_m2=1_200)
_RANGES = {
    "PT1H": (date(2026, 3, 15), date(2026, 6, 10)),
    "P1D": (date(2021, 7, 1), date(2026, 6, 10)),
    "P1M": (date(2021, 7, 1), date(2026, 6, 10)),
}
_PATHS = (
    *("", "month/2026-05", "year/2025", "year/2025.csv", "hall", "card", "data"),
    *(f"sites/{_SITE}{path}" for path in ("", "/month/2026-05", "/year/2025", "/hall")),
    "areas/area-0",
    *(f"buildings/{period}" for period in ("month/2026-05", "year/2025", "year/2025.csv")),
    *(
        f"{page}/{period}"
        for page in ("report", "sharing")
        for period in ("month/2026-05", "year/2025")
    ),
    *(
        f"data/{quantity}/by/all/{interval}/from/{first}/to/{last}"
        for quantity in ("consumption", "self-sufficiency")
        for interval, (first, last) in _RANGES.items()
    ),
)


async def measure() -> float:
    """Print what each request takes; return the 95th percentile of the slowest."""
    with tempfile.TemporaryDirectory() as folder:
        store = await Store.open(Path(folder) / "node.db")
        written = settings(Path(folder))
        page = replace(written.page, outlines=_outlines(Path(folder) / "communes.geojson"))
        town = ReleasedTown(store, replace(written, page=page))
        await _fill(town)
        print(f"{MEMBERS:,} members, {AREAS} areas, {SITES} sites, {YEARS} years published")
        changes = Changes()
        async with serving(town, changes=changes):
            gc.freeze()  # As a node does that begins to run.
            every = [await _ask(town, changes, path) for path in _PATHS]
        print(f"{'all pages, not cached':67} {summary(list(chain.from_iterable(every)))}")
        await store.close()
    _compare("p95", list(map(p95, every)))
    _compare("median", list(map(median, every)))
    return max(map(p95, every))


def _compare(rank: str, seconds: list[float]) -> None:
    """Print the slowest page, and how many times longer than the lightest it takes."""
    slowest = max(seconds)
    what = f"the slowest page over the lightest, {rank}"
    path = _PATHS[seconds.index(slowest)]
    print(f"{what:67} {slowest / min(seconds):.1f} times ({1e3 * slowest:.1f} ms: /{path})")


async def _ask(town: ReleasedTown, changes: Changes, path: str) -> list[float]:
    """Ask for pages that are rendered each time, as after a release, then for cached ones."""
    uncached, cached = [], []
    size = await _get(town, path)
    cpu = time.process_time()
    for _ in range(ROUNDS):
        changes.notify()
        began = time.perf_counter()
        await _get(town, path)
        uncached.append(time.perf_counter() - began)
    cpu = (time.process_time() - cpu) / ROUNDS
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await _get(town, path)
        cached.append(time.perf_counter() - began)
    print(f"/{path:66} {summary(uncached)}, {1e3 * cpu:5.1f} ms of CPU, {size / 1024:.0f} KiB")
    print(f"{'  kept':67} {summary(cached)}", flush=True)
    return uncached


async def _get(town: ReleasedTown, path: str) -> int:
    assert town.session is not None
    async with town.session.get(town.url.joinpath(path, encoded=True)) as response:
        size = len(await response.read())
    assert response.status == 200, (path, response.status)
    return size


async def _fill(town: ReleasedTown) -> None:
    everybody = await town.group()
    areas = [await town.group(GroupKind.AREA, f"Area {n}") for n in range(AREAS)]
    sites = [await town.site(f"Site {n}", _SCHOOL, "Area 0") for n in range(SITES)]
    await _join(town, everybody, areas)
    dice = random.Random(1)
    first = NOW.date() - timedelta(days=365 * YEARS)
    since_last_year = NOW.date() - timedelta(days=COMPARED_DAYS)
    published = [
        (everybody, MEMBERS, first),
        (areas[0], MEMBERS // AREAS, first),
        (sites[0], 1, first),
    ]
    published += [(site, 1, since_last_year) for site in sites[1:]]
    published += [(area, MEMBERS // AREAS, NOW.date() - timedelta(days=40)) for area in areas[1:]]
    for group, homes, begin in published:

        def some(most: int, homes: int = homes) -> Callable[[int], int]:
            return lambda hour: homes * dice.randrange(most)

        yesterday = NOW.date() - timedelta(days=1)
        hours = day_of(
            begin, yesterday, consumption=some(900), production=some(400), injection=some(200)
        )
        await town.release(group, hours, homes)
    today = day_of(NOW.date(), consumption=lambda hour: 5_000_000)
    until = NOW.replace(minute=0)
    await town.release(
        everybody,
        {way: {at: w for at, w in values.items() if at < until} for way, values in today.items()},
    )


async def _join(town: ReleasedTown, everybody: GroupId, areas: list[GroupId]) -> None:
    """Add all members, each in an area."""
    member_ids = range(1_000, 1_000 + MEMBERS)
    members = [
        {
            "id": member_id,
            "pseudonym": f"p{member_id}",
            "jid": f"p{member_id}@example.org",
            "kind": "home",
            "joined_at": NOW,
        }
        for member_id in member_ids
    ]
    stays = [
        {"member_id": member_id, "group_id": group, "from_month": date(2020, 1, 1)}
        for member_id in member_ids
        for group in (everybody, areas[member_id % len(areas)])
    ]
    async with town.store.writing() as connection:
        await connection.execute(insert(MemberRow), members)
        await connection.execute(insert(GroupMembershipRow), stays)


def _outlines(file: Path) -> Path:
    """Write a map of all communes, each a circle; return its file."""
    features = [
        {
            "type": "Feature",
            "properties": {"nom": f"Area {n}"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [
                        [n % 6 + cos(tau * k / POINTS) / 2, 45 + n // 6 + sin(tau * k / POINTS) / 2]
                        for k in range(POINTS + 1)
                    ]
                ],
            },
        }
        for n in range(AREAS)
    ]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return file
