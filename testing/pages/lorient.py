"""An invented year of a cooperative in Lorient, for pictures: homes, a school, a commune nearby."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from consometers_node.collective.members.sites import Building, Description, Heat
from consometers_node.series import Direction
from consometers_node.store.collective.groups import GroupKind
from consometers_node.store.collective.publication import combined
from consometers_tic_virtual.world import HOUSEHOLD, SCHOOL, World
from testing.pages.town import HOUR, Hours, ReleasedTown

SINCE = datetime(2025, 1, 1, tzinfo=UTC)
HOMES, OF_EACH_KIND = 40, 8
REPORTING = 37
AT_FIRST = 25
"""Homes of the first year."""
_DRAWN, _FED, _MADE = Direction.CONSUMPTION, Direction.INJECTION, Direction.PRODUCTION
_HERE = Description(
    building=Building.SCHOOL,
    heating=Heat.GAS,
    hot_water=Heat.ELECTRIC,
    surface_m2=1850,
    peak_kwp=36,
    words_fr="Quatre classes maternelles et six classes élémentaires. Les panneaux sont sur le toit"
    " du gymnase depuis 2024.",
)
_THERE = Description(building=Building.COMMUNITY, heating=Heat.HEAT_PUMP, peak_kwp=18)


@dataclass(frozen=True)
class Like:
    """One building of so many like it."""

    world: World
    times: int

    def hours(self, until: datetime) -> Iterator[tuple[datetime, dict[Direction, int]]]:
        at, before = SINCE, self.world.energy(SINCE)
        while at < until:
            after = self.world.energy(at + HOUR)
            yield (
                at,
                {
                    _DRAWN: self.times * (after.drawn_wh - before.drawn_wh),
                    _FED: self.times * (after.injected_wh - before.injected_wh),
                    _MADE: self.times * (after.production_wh - before.production_wh),
                },
            )
            at, before = at + HOUR, after


async def furnish(town: ReleasedTown) -> None:
    """Fill a town with a year and a half."""
    until = town.now.replace(minute=0, second=0, microsecond=0)
    homes = [
        Like(World(HOUSEHOLD, kwp=3.0 if n < 2 else 0, seed=11 + n), OF_EACH_KIND)
        for n in range(HOMES // OF_EACH_KIND)
    ]
    school = Like(World(SCHOOL, seed=1), 1)
    hall = Like(World(SCHOOL, kwp=18, seed=5), 1)
    everybody = await town.group()
    await town.join(everybody, HOMES)
    grown = datetime(2026, 1, 1, tzinfo=UTC)
    missing = [datetime(2026, 6, 4, hour, tzinfo=UTC) for hour in (3, 4)]
    kersabiec = await town.site("École de Kersabiec", _HERE, "Lorient")
    other = await town.site("Salle Kermelo", _THERE, "Lorient")
    lorient = await town.group(GroupKind.AREA, "Lorient")
    areas = {await town.group(GroupKind.AREA, area): area for area in ("Larmor-Plage", "Ploemeur")}
    async with town.store.writing() as connection:
        both = await combined(connection, frozenset(areas), areas)
    whole = _sum(*homes, school, hall, until=until)
    for group, share, reporting, counting in (
        (everybody, 1.0, REPORTING, HOMES),
        (lorient, 0.7, REPORTING - 12, HOMES - 12),
        (both, 0.3, 12, 12),
    ):
        sites = 0 if group == both else 2
        part = {
            way: {start: round(share * wh) for start, wh in energy.items()}
            for way, energy in whole.items()
        }
        first = {
            way: {start: wh * AT_FIRST // HOMES for start, wh in energy.items() if start < grown}
            for way, energy in part.items()
        }
        then = {
            way: {
                start: wh for start, wh in energy.items() if start >= grown and start not in missing
            }
            for way, energy in part.items()
        }
        few = reporting * AT_FIRST // HOMES
        await town.release(group, first, few + sites, homes=few)
        await town.release(
            group, then, reporting + sites, homes=reporting, counting=counting, in_part=True
        )
    for group, site in ((kersabiec, school), (other, hall)):
        await town.release(group, _sum(site, until=until), 1, homes=0)


def _sum(*buildings: Like, until: datetime) -> Hours:
    total: dict[Direction, dict[datetime, int]] = {
        direction: defaultdict(int) for direction in Direction
    }
    for building in buildings:
        for start, energies in building.hours(until):
            for direction, wh in energies.items():
                total[direction][start] += wh
    return total
