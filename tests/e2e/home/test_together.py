"""What a collective has comes back to its homes: a real Home Assistant keeps and shows it.

Twelve homes and one with a Home Assistant share with a collective on another server. The nodes run
in this process; servers and Home Assistant are real. The tests follow one another.
"""

import asyncio
from calendar import monthrange
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
import json
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
import pytest_asyncio
from sqlalchemy import func, select

from consometers_node.collective.members.members import Members
from consometers_node.collective.settings import Settings
from consometers_node.household.node import HomeNode, HouseholdPace
from consometers_node.household.recorder.home_assistant import HomeAssistant, HomeAssistantAccess
from consometers_node.household.recorder.source import HomeAssistantSource
from consometers_node.household.statistics import IN_COMMON
from consometers_node.household.statistics_import.totals import TIME_ZONE, month_before
from consometers_node.permission import Choice, Permissions
from consometers_node.series import Device, Direction, Interval, Quantity, Range, Series
from consometers_node.sharing.account import save
from consometers_node.sharing.names import load_naming
from consometers_node.sharing.permissions import consent
from consometers_node.store import PermissionId, Store
from consometers_node.store.clock import Clock
from consometers_node.store.collective.published_series import published_records
from consometers_node.store.peers import MEMBER, peer_by_jid
from consometers_node.store.tables import OutboxRow, PermittedRow, SubscriptionRow
from consometers_node.web.site import Keys, Site
from consometers_quoalise import ItemNotFound, NotAuthorized, SeriesPath
from consometers_quoalise.records.identifier import organisation, series as name_of
from consometers_quoalise_network import Account, Identity, Join
from consometers_quoalise_network.address import account_of
from consometers_quoalise_xmpp import XmppTransport
from demo.hass import Hass
from demo.school.furnishing import DOMAIN, entities_with
from demo.servers.prosody import Prosody
from testing.collectives.running import Coop
from testing.homes.data_needs import HOURLY, NEED, STOP, YES, now
from testing.networks import PASSWORD, QUICK, reach
from testing.programs.holding import Member, Sums, held, run_collective, settle
from testing.programs.metered_home import import_energy
from testing.waiting import differences, eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(600),
]

HOMES: Final = 12
HOUR: Final = timedelta(hours=1)
TOP: Final = now().replace(minute=0, second=0)
MONTH: Final = month_before(TOP)
SINCE: Final = datetime(MONTH.year, MONTH.month, 1, tzinfo=TIME_ZONE).astimezone(UTC)
"""From here on the home with a Home Assistant has records."""
MONTH_S_END: Final = TOP.astimezone(TIME_ZONE).replace(day=1, hour=0).astimezone(UTC)
STARTS: Final = sorted(
    {
        *(MONTH_S_END + n * HOUR for n in range(-16 * 24, 0)),
        *(TOP + n * HOUR for n in range(-60, -1)),
    }
)
"""When the records of the others start: the last sixteen days of that month, and of these days.

Early in a month they are the same days. The last hour comes later.
"""
ASKED: Final = replace(NEED, history_days=70)
OWN: Final = Series(
    Device("supplier:grid"), Direction.CONSUMPTION, Quantity.ENERGY, Interval.PT1H, "Europe/Paris"
)
OWN_WH: Final = 350
ALL: Final = organisation("kersabiec")
DRAWN: Final = Series(
    Device(str(ALL)), Direction.CONSUMPTION, Quantity.POWER, Interval.PT1H, "Europe/Paris"
)
STATISTIC: Final = f"{IN_COMMON}kersabiec_consumption"
TOKEN: Final = "a token of the API"
HASTE: Final = 100

type Values = dict[datetime, float]


@dataclass
class World:
    """Who is there."""

    coop: Coop
    homes: list[Member]
    hass: Hass
    node: HomeNode
    api: str
    session: aiohttp.ClientSession

    async def released(self) -> Values:
        """What the collective published of all, hour by hour."""
        async with self.coop.store.reading() as connection:
            records, _ = await published_records(
                connection, self.coop.settings.identifier, DRAWN, Range(SINCE, TOP + 24 * HOUR)
            )
            return {record.start: record.value for record in records}

    async def stored(self) -> Values:
        """What Home Assistant has of it, hour by hour, once its sums follow from them."""
        rows = await self.hass.api.statistics(STATISTIC, "hour", SINCE - 48 * HOUR)
        total = 0.0
        values: Values = {}
        for row in rows:
            energy = row["state"] or 0.0
            total += energy
            assert row["sum"] == pytest.approx(total)
            values[datetime.fromtimestamp(row["start"] / 1000, UTC)] = energy
        return values

    async def collectives(self) -> Any:
        """What the home's API answers about its collectives."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with self.session.get(f"{self.api}api/v1/node", headers=headers) as response:
            return (await response.json())["collectives"]

    async def sums(self) -> Any:
        (collective,) = await self.collectives()
        return collective["sums"]

    async def agree(self) -> Values:
        """Wait until Home Assistant has each published record."""

        async def differs() -> tuple[int, dict[datetime, tuple[float | None, float | None]]]:
            released = await self.released()
            wanted: dict[datetime, Any] = {
                start: pytest.approx(value) for start, value in released.items()
            }
            return len(released), differences(await self.stored(), wanted)

        await eventually(differs, lambda answer: answer[0] > 0 and not answer[1], within_s=240)
        return await self.released()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    hass: Hass, servers: tuple[Prosody, Prosody], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("together")
    home_server, coop_server = servers
    async with AsyncExitStack() as stack:
        coop = await run_collective(stack, folder, coop_server, of_twelve)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        token = await hass.api.long_lived_token()
        await supply(hass)
        home = await Store.open(folder / "home.db")
        stack.push_async_callback(home.close)
        account = Account(home_server.register("home", PASSWORD), PASSWORD)
        await save(home, Identity(account, reach(home_server)))
        clock = Clock()
        connecting = HomeAssistant(HomeAssistantAccess.at(hass.url, token), session)
        node = HomeNode(
            home,
            await load_naming(home),
            HomeAssistantSource.watched(connecting, home, clock),
            lambda who: XmppTransport(who.account, server=who.server, backoff=QUICK),
            clock=clock,
            pace=replace(HouseholdPace().shortened(HASTE), sums_s=3),
        )
        site = Site(node, Keys("an-id", TOKEN, "0"))
        listens = await stack.enter_async_context(site.listening("127.0.0.1", 0))
        task: asyncio.Task[object] = asyncio.create_task(node.run())
        homes = [await join(stack, folder, home_server, coop, n) for n in range(HOMES)]
        await eventually(partial(holds, coop), are_all)
        await coop.open()
        try:
            yield World(
                coop,
                homes,
                hass,
                node,
                f"http://127.0.0.1:{listens}/",
                session,
            )
        finally:
            task.cancel()
            await asyncio.wait({task})


def of_twelve(defaults: Settings) -> Settings:
    """Publish nothing of these days before all of these homes have responded.

    That month is over as soon as it has ended, also where it is the first morning after it.
    """
    publication = replace(
        defaults.publication,
        minimum=HOMES,
        wait=12 * HOUR,
        longest_wait=12 * HOUR,
        day_wait=timedelta(seconds=1),
    )
    return replace(defaults, publication=publication)


async def supply(hass: Hass) -> None:
    """Add to Home Assistant what this home drew, as a supplier's integration does."""
    hours = range(-1, round((TOP - SINCE) / HOUR))
    await import_energy(hass.api, OWN.device, {SINCE + n * HOUR: n * OWN_WH for n in hours})


async def join(stack: AsyncExitStack, folder: Path, server: Prosody, coop: Coop, n: int) -> Member:
    """Run a home that has some past, and joins."""
    return await settle(
        stack,
        folder / f"home{n}.db",
        server,
        Account(server.register(f"home{n}", PASSWORD), PASSWORD),
        Join(coop.jid, await coop.invite(ASKED)),
        covered=Range(SINCE, TOP + 48 * HOUR),
        past={start: watts(n, start) for start in STARTS},
        need=ASKED,
        choice=Choice(series=frozenset({HOURLY})),
    )


def watts(home: int, start: datetime) -> int:
    return 200 + 20 * home + start.hour


async def holds(coop: Coop) -> Sums:
    """What a collective has of its members."""
    return await held(coop.store, Direction.CONSUMPTION, Range(SINCE, TOP))


def are_all(sums: Sums) -> bool:
    """Return whether the homes' first records are all there."""
    return {start: count for start, (_, count) in sums.items()} == dict.fromkeys(STARTS, HOMES)


async def granted(world: World) -> PermissionId:
    async with world.node.store.reading() as connection:
        (permission,) = await Permissions(connection).all()
    return permission.id


async def test_a_home_that_joins_receives_the_history_of_its_collective(world: World) -> None:
    node, coop = world.node, world.coop

    async def online() -> bool:
        return node.network is not None and node.network.connection.is_online

    await eventually(online, bool)
    await eventually(world.released, lambda released: [*released] == STARTS, within_s=300)
    assert node.network is not None
    token = await coop.invite(ASKED)
    (permission_id,) = await consent.propose_needs(
        node.store, node.network.sharing.asking, Join(coop.jid, token)
    )
    naming = await load_naming(node.store)
    async with node.store.writing() as connection:
        question = await consent.data_request(connection, permission_id)
        await consent.grant(connection, naming, question, Choice(series=frozenset({OWN})), YES)
    node.look_again()
    assert sorted(await world.agree()) == STARTS
    (statistic,) = [
        row
        for row in await world.hass.api.command("recorder/list_statistic_ids")
        if row["statistic_id"] == STATISTIC
    ]
    assert statistic["source"] == "consometers"
    assert statistic["name"].endswith(" — consumption")
    assert statistic["unit_class"] == "energy"


async def test_a_home_compares_its_month_with_the_others(world: World) -> None:
    days = monthrange(MONTH.year, MONTH.month)[1]

    async def answers() -> tuple[Any, Values]:
        return await world.sums(), await world.released()

    def are_complete(both: tuple[Any, Values]) -> bool:
        sums, released = both
        if not sums or not sums["last"] or not sums["month"]:
            return False
        is_latest = datetime.fromisoformat(sums["last"]["start"]) == max(released)
        return bool(is_latest and sums["month"]["mine"] and sums["month"]["median"])

    sums, released = await eventually(answers, are_complete, within_s=240)
    assert sums["last"]["consumption"] == released[max(released)]
    today = now().astimezone(TIME_ZONE).date()
    of_today = [wh for at, wh in released.items() if at.astimezone(TIME_ZONE).date() == today]
    drawn = sums["today"]["figures"]["consumption"]["value"] if sums["today"] else None
    assert (drawn or 0) == sum(of_today)
    assert (sums["statistics"]["consumption"], sums["problem"]) == (STATISTIC, None)
    month = sums["month"]
    assert month["month"] == f"{MONTH:%Y-%m}"
    assert month["mine"] == pytest.approx(OWN_WH * 24 * days, rel=0.01)
    # The month was closed before this home joined.
    assert month["lower"] < month["median"] < month["upper"]
    a_day = [24 * (200 + 20 * n) + sum(range(24)) for n in range(HOMES)]
    assert month["median"] == pytest.approx(a_day[(HOMES - 1) // 2] * days, rel=0.02)
    name = name_of(ALL, Direction.CONSUMPTION, SeriesPath.MEDIAN)
    answer = await world.homes[0].house.sharing.asking.get_history(world.coop.jid, name, SINCE, TOP)
    values = {record.name: list(record.values.values()) for record in answer.records}
    assert values[str(name)] == [month["median"]]


async def test_home_assistant_shows_the_sums_beside_the_home(world: World) -> None:
    api = world.hass.api
    step = await api.start_flow(DOMAIN, choice="node")
    step = await api.submit(step, url=world.api, token=TOKEN)
    entry_id = step["result"]["entry_id"]
    (collective,) = await world.collectives()
    ids = await entities_with(api, entry_id, {f"{collective['id']}_month_difference"})

    async def shown(key: str) -> float:
        state = await api.state(ids[f"{collective['id']}_{key}"])
        thousands = state["attributes"].get("unit_of_measurement") in ("kW", "kWh")
        return float(state["state"]) * (1_000 if thousands else 1)

    last, month = collective["sums"]["last"], collective["sums"]["month"]
    assert await shown("consumption_power") == pytest.approx(last["consumption"])
    assert await shown("members") == last["members"]
    assert await shown("month_mine") == pytest.approx(month["mine"])
    assert await shown("month_median") == pytest.approx(month["median"])
    less = 100 * (month["mine"] / month["median"] - 1)
    assert await shown("month_difference") == pytest.approx(less, abs=0.05)
    # There is nothing of panels: nobody has any.
    assert not any("production" in key for key in ids)
    dashboard = await api.command(f"{DOMAIN}/dashboard", language="en")
    assert STATISTIC in json.dumps(dashboard)
    assert world.hass.problems() == []


def of_the_day(home: int, at: datetime) -> dict[datetime, int | None]:
    """What a home has of the UTC day of an hour."""
    return {start: watts(home, start) for start in STARTS if start.date() == at.date()}


async def test_a_home_that_leaves_receives_nothing_more(world: World) -> None:
    node, coop = world.node, world.coop
    assert node.network is not None
    asking = node.network.sharing.asking
    jid = account_of(node.network.connection.jid)
    async with coop.store.reading() as connection:
        member = await Members(connection, coop.settings.time_zone).by_jid(jid)
        assert member is not None
        peer = await peer_by_jid(connection, MEMBER + member.pseudonym)
        assert peer is not None
        may = select(func.count()).select_from(PermittedRow).where(PermittedRow.peer_id == peer.id)
        assert (await connection.execute(may)).scalar_one() == 6
    async with node.store.writing() as connection:
        await Permissions(connection).withdraw(await granted(world), STOP, now())
    node.look_again()

    async def left() -> list[int]:
        async with coop.store.reading() as connection:
            return [
                (
                    await connection.execute(
                        select(func.count()).select_from(table).where(table.peer_id == peer.id)
                    )
                ).scalar_one()
                for table in (PermittedRow, SubscriptionRow, OutboxRow)
            ]

    await eventually(left, lambda remaining: remaining == [0, 0, 0])
    name = name_of(ALL, Direction.CONSUMPTION)
    for attempt in (
        asking.get_history(coop.jid, name, SINCE, SINCE + HOUR),
        asking.subscribe(coop.jid, name),
    ):
        with pytest.raises((NotAuthorized, ItemNotFound)):
            await attempt
    assert await asking.list_series(coop.jid) == ()
    await eventually(world.sums, lambda sums: sums is None)
    stored = await world.stored()
    # What comes afterwards reaches the others alone.
    for n, home in enumerate(world.homes):
        await home.house.keep({**of_the_day(n, TOP - HOUR), TOP - HOUR: watts(n, TOP - HOUR)})
    released = await eventually(world.released, lambda remaining: remaining != stored)
    await asyncio.sleep(2)
    assert await world.stored() == stored != released
