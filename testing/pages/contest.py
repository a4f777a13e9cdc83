"""A challenge between three communes and two schools with published days."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
import math
from random import Random

from consometers_node.collective.challenges.register import Challenge, TypedChallenge
from consometers_node.collective.services import Actions
from consometers_node.collective.settings import Settings
from consometers_node.series import Direction, Interval
from consometers_node.store import Store
from consometers_node.store.collective.groups import GroupKind
from consometers_node.store.collective.publication import PublishedCell, write
from consometers_node.store.collective.tables import GroupId
from testing.pages.cooperative import SCHOOL
from testing.pages.town import NOW, ZONE, ReleasedTown

FIRST, LAST = date(2026, 4, 13), date(2026, 6, 28)
"""A Monday, and a Sunday: eight weeks are over by `NOW`."""
DAY = timedelta(days=1)
YESTERDAY = NOW.date() - DAY
YEAR = timedelta(weeks=52)
COMMUNES = {"Lorient": 10_000, "Lanester": 12_000, "Ploemeur": 11_000}
"""What a home of each draws a day, in Wh."""
SCHOOLS = ("École Bois-Bissonnet", "École de Kersabiec")
SLUGS = ("lorient", "lanester", "ploemeur", "ecole-bois-bissonnet", "ecole-de-kersabiec")
SAVED = {"Lorient": 0.12, "Lanester": 0.03}
TYPED = TypedChallenge(
    name_fr="Le défi de printemps",
    name_en="The spring challenge",
    first_day=FIRST.isoformat(),
    last_day=LAST.isoformat(),
    objective="10",
    participants=SLUGS,
)

type Wh = Mapping[Direction, float]


async def release_days(
    town: ReleasedTown,
    group: GroupId,
    days: tuple[date, date],
    average: Callable[[date], Wh],
    *,
    members: int = 20,
    **others: object,
) -> None:
    """Publish civil days of a group, each by what a member had in it."""
    cells = []
    first, last = days
    for n in range((last - first).days + 1):
        day = first + n * DAY
        start = datetime.combine(day, time(), ZONE)
        end = datetime.combine(day + DAY, time(), ZONE)
        for direction, energy in average(day).items():
            each = round(energy * 60)
            facts = {
                "group": group,
                "interval": Interval.P1D,
                "direction": direction,
                "start": start,
                "day": day,
                "watt_minutes": each * members,
                "members": members,
                "homes": members,
                "counting": members,
                "homes_watt_minutes": each * members,
                "average": each,
                "minutes": round((end.timestamp() - start.timestamp()) / 60),
                **others,
            }
            cells.append(PublishedCell(**facts))  # type: ignore[arg-type]
    async with town.store.writing() as connection:
        await write(connection, cells, [])


def weather(day: date) -> float:
    """Return a factor that the days of a week have in common, and no two weeks."""
    week = (day - FIRST).days // 7
    return 1 + (week * 37 % 11) / 20


def scatter(name: str, day: date) -> float:
    """Return what is a participant's own, week by week: some 3 %."""
    week = (day - FIRST).days // 7
    return math.exp(Random(f"{name} {week}").gauss(0, 0.03))


async def fill(
    town: ReleasedTown,
    *,
    until: date = YESTERDAY,
    communes: Mapping[str, float] = COMMUNES,
    schools: Sequence[str] = SCHOOLS,
) -> None:
    """Publish the days of the challenge so far, and the same days of the year before."""
    groups = {name: await town.group(GroupKind.AREA, name) for name in communes}
    for name, group in groups.items():

        def drawn(day: date, name: str = name) -> Wh:
            energy = communes[name] * (1.1 if day.weekday() > 4 else 1)
            if day >= FIRST:
                energy = energy * (1 - SAVED.get(name, 0)) * weather(day) * scatter(name, day)
            return {Direction.CONSUMPTION: energy}

        await release_days(town, group, (FIRST - YEAR, until - YEAR), drawn)
        await release_days(town, group, (FIRST, until), drawn, members=22)
    for name in schools:
        school = await town.site(name, SCHOOL, "Lorient")
        site = {"homes": 0, "counting": 0}

        def used(day: date, name: str = name) -> Wh:
            factor = weather(day) * scatter(name, day) if day >= FIRST else 1.0
            # All panels but for a tenth: what the sun does is in no figure of the use.
            sun = 30_000 if day >= FIRST else 50_000
            return {
                Direction.CONSUMPTION: 100_000 * factor - sun * 0.9,
                Direction.PRODUCTION: sun,
                Direction.INJECTION: sun * 0.1,
            }

        await release_days(town, school, (FIRST - YEAR, until - YEAR), used, members=1, **site)
        await release_days(town, school, (FIRST, until), used, members=1, **site)


def actions(store: Store, settings: Settings) -> Actions:
    """Return what an administrator does."""

    async def wake() -> None:
        pass

    return Actions(
        store=store, settings=settings, who="Secrétariat", at=datetime.now(UTC), wake=wake
    )


async def set_up(town: ReleasedTown, typed: TypedChallenge = TYPED) -> Challenge:
    """Set the challenge."""
    return await actions(town.store, town.settings).set_challenge(typed)
