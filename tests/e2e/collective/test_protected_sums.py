"""Protected sums between real programs: each is killed, the witness is away, backups are restored.

What is published is the sum of what homes have to the Wh, no hour is opened twice, and no file of
the collective has the value of a home. The tests follow one another on one collective.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
import random
import shutil
from typing import Final

import pytest
import pytest_asyncio

from consometers_node.collective.disclosure.reasons import Reason
from demo.collectives.collective import Collective, Profile
from demo.collectives.neighbours import Neighbours
from demo.hass import free_port
from demo.servers import program
from demo.servers.https import Https
from demo.servers.program import PASSWORD, closed, faketime
from demo.servers.prosody import LOOPBACK, Authority, Prosody, federate
from demo.street.plan import Home, Place, Plan
from testing.checkout import ROOT
from testing.programs.protected import (
    HOUR,
    Published,
    SetClock,
    WitnessedCollective,
    back_up,
    put_back,
    values_in,
    whole_hour,
    write_meter,
)
from testing.waiting import becomes, eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(not shutil.which("prosody"), reason="script/setup gets Prosody"),
    pytest.mark.skipif(faketime() is None, reason="script/setup gets faketime"),
    pytest.mark.timeout(1800),
    # The demo opens sums in each run; this one takes minutes.
    pytest.mark.full,
]

HOMES: Final = 11
COOPERATIVE, TOWN = "cooperative.test", "municipality.test"
WITHIN_S: Final = 600
HASTE: Final = {"CONSOMETERS_HASTE": "20"}
WAIT: Final = "CONSOMETERS_PUBLICATION_WAIT_MINUTES"
ROUNDS: Final = 6
DAY: Final = timedelta(days=1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WitnessedCollective]:
    """Homes have allowed a protected sum while its witness was away: all there is, is its key."""
    folder = tmp_path_factory.mktemp("protected")
    with pytest.MonkeyPatch.context() as patch:
        clock = SetClock(folder / "clock")
        for name, value in {
            "LD_PRELOAD": str(faketime()),
            "FAKETIME_TIMESTAMP_FILE": str(folder / "clock"),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            "FAKETIME_DISABLE_SHM": "1",
        }.items():
            patch.setenv(name, value)
        with program.warm() as warm:
            authority = Authority(folder / "authority")
            servers = (
                Prosody(COOPERATIVE, authority, folder / "coop" / "prosody"),
                Prosody(TOWN, authority, folder / "town" / "prosody"),
            )
            federate(*servers)
            need = folder / "protected.toml"
            collective, witness = (
                Collective(
                    Profile(
                        name=domain,
                        identifier=domain.partition(".")[0],
                        account=f"{domain.partition('.')[0]}@{domain}",
                        needs=needs,
                        about={},
                        witness_for=witness_for,
                    ),
                    folder / name,
                    server,
                    warm,
                    # However slow their machine, homes are waited for.
                    HASTE | {WAIT: "60"},
                )
                for name, domain, server, needs, witness_for in (
                    ("coop", COOPERATIVE, servers[0], (need,), ()),
                    ("town", TOWN, servers[1], (), (f"cooperative@{COOPERATIVE}",)),
                )
            )
            https = Https(free_port(), witness.page_port)
            neighbours = Neighbours(folder / "street", lambda _: None)
            try:
                text = (ROOT / "demo/needs/protected.toml").read_text()
                need.write_text(text.replace("{url}", https.url))
                await https.start(authority)
                await witness.start()
                jids = [f"home-{n:02}@{COOPERATIVE}" for n in range(1, HOMES + 1)]
                await collective.start(jids)
                codes = await witness.codes(collective.profile.account, HOMES)
                plan = await planned(folder, jids, collective, codes)
                chance = random.Random(1)
                truth = {
                    home.jid: write_meter(Path(plan.folder) / str(home.recording), chance)
                    for home in plan.homes
                }
                for home in plan.homes:
                    plan.note_allowed(home)
                world = WitnessedCollective(
                    clock, servers, collective, witness, https, neighbours, plan, truth
                )
                await world.kill(witness)
                await world.start(neighbours)
                await neighbours.until(lambda progress: progress.know)
                neighbours.let_grant()
                yield world
            finally:
                await closed(neighbours, collective, witness, https)


async def planned(folder: Path, jids: list[str], collective: Collective, codes: list[str]) -> Plan:
    link = await collective.invite("home", uses=HOMES)
    place = Place(
        host=LOOPBACK, port=collective.server.port, ca_file=str(collective.server.ca_file)
    )
    homes = [
        Home(
            jid=jid,
            site="household",
            kwp=0,
            seed=seed,
            invitation=link,
            recording=f"{jid}.csv",
            code=code,
        )
        for seed, (jid, code) in enumerate(zip(jids, codes, strict=True))
    ]
    return Plan(
        folder=str(folder / "street" / "homes"),
        password=PASSWORD,
        history_days=2,
        places={COOPERATIVE: place},
        homes=homes,
    )


async def all_is_published(world: WitnessedCollective) -> None:
    """Wait until each hour since the homes allowed it is published as the sum of all."""

    async def published() -> Published:
        return world.published()

    await becomes(published, world.sums(world.hours()), within_s=WITHIN_S)


async def test_reports_wait_without_loss_until_the_witness_has_the_key(
    world: WitnessedCollective,
) -> None:
    async def granted() -> int:
        return world.granted()

    await eventually(granted, HOMES.__eq__, within_s=WITHIN_S)
    world.since = whole_hour(world.clock.now) + HOUR
    assert not world.ask(world.collective, "SELECT 1 FROM member_permission")
    await world.go_on(3 * HOUR)
    await world.neighbours.until(lambda progress: progress.know)
    world.neighbours.let_grant()
    await world.neighbours.until(lambda progress: progress.have_joined)
    await world.collective.publish()
    await all_is_published(world)
    assert world.opened() == world.hours()


async def test_hours_of_a_day_without_witness_open_despite_kills(
    world: WitnessedCollective,
) -> None:
    await world.go_on(DAY - HOUR, witness=False)

    async def asked() -> int:
        return len(world.ask(world.collective, "SELECT 1 FROM opening WHERE answer IS NULL"))

    await eventually(asked, bool, within_s=WITHIN_S)
    await world.go_on(HOUR, witness=False)

    async def problems() -> str:
        return str((await world.collective.program.json("status"))["problems"])

    # It says why, too, as soon as it has asked in vain.
    await eventually(problems, lambda shown: "witness" in shown, within_s=WITHIN_S)
    waiting = world.published()
    assert set(world.hours()) - waiting.keys()
    await world.start(world.witness)
    parts: list[Collective | Neighbours] = [world.collective, world.witness, world.neighbours]
    for part in (*parts, *world.chance.choices(parts, k=ROUNDS)):
        await asyncio.sleep(world.chance.uniform(0.2, 2))
        await world.restart(part)
        if part is world.witness:
            server = world.chance.choice(world.servers)
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
    await all_is_published(world)
    assert world.opened() == world.hours()


async def test_no_file_of_collective_or_witness_contains_a_value_of_a_home(
    world: WitnessedCollective,
) -> None:
    """Database, journals and logs, its server's archive and what was killed while it wrote."""
    hours = world.hours()
    # The same search finds them where they are: in the files of meters, and in databases of homes.
    files = values_in(Path(world.plan.folder), world.truth, hours)
    assert {"three in a row" in each for each in files} == {True, False}
    for collective in (world.collective, world.witness):
        assert values_in(collective.program.folder.parent, world.truth, hours) == []


async def test_restored_backups_open_no_hour_twice(
    world: WitnessedCollective, tmp_path: Path
) -> None:
    """What it lost it says: no home reported, of those that it expects."""
    for collective in (world.collective, world.witness):
        back_up(collective, tmp_path / collective.profile.identifier)
    await world.go_on(HOUR)
    await all_is_published(world)
    lost = world.hours()[-1]
    await world.kill(world.collective)
    await put_back(world.collective, tmp_path / world.collective.profile.identifier)
    assert lost not in world.published()
    await world.go_on(HOUR)

    async def reports() -> int:
        query = "SELECT 1 FROM masked_report WHERE start = ?"
        return len(world.ask(world.collective, query, world.hours()[-1].timestamp()))

    await eventually(reports, HOMES.__eq__, within_s=WITHIN_S)
    # Nothing will come of the lost hour: it is not waited for any longer.
    world.variables[WAIT] = "1"
    await world.restart(world.collective)
    expected = {**world.sums(world.hours()), lost: (None, 0)}

    async def published() -> Published:
        return world.published()

    await becomes(published, expected, within_s=WITHIN_S)
    assert world.closed(lost) == (HOMES, 0, None)
    assert world.opened() == world.hours()

    # Of the two hours, the witness's backup knows nothing either: no hour of before is opened, and
    # none at all until a home has looked.
    del world.variables[WAIT]
    await world.kill(world.witness)
    await put_back(world.witness, tmp_path / world.witness.profile.identifier)
    await world.go_on(DAY)
    refused = set(world.hours()) - expected.keys()
    assert refused
    expected |= dict.fromkeys(refused, (None, 0))
    await becomes(published, expected, within_s=WITHIN_S)
    for hour in refused:
        assert world.closed(hour) == (HOMES, HOMES, Reason.NOT_OPENED)
    assert refused.isdisjoint(world.opened())
