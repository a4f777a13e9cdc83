"""Figures of collectives in this home's Home Assistant and in the API, as long as it shares."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final, override

import pytest

from consometers_node.household.statistics import AVERAGES, IN_COMMON, PARTS
from consometers_node.household.statistics_import.monthly_consumption import drawn
from consometers_node.household.statistics_import.totals import TIME_ZONE, days_of, month_before
from consometers_node.permission import Choice, DataNeed, Identification, Permissions
from consometers_node.series import (
    Block,
    Device,
    Interval,
    Quantity,
    Record,
    Series,
)
from consometers_node.sharing.account import save
from consometers_node.store import PermissionId, SeriesId, Store
from consometers_node.store.household.pulled import all_pulled
from consometers_node.store.peers import add_peer
from consometers_node.store.series import add_series, put_blocks
from consometers_quoalise import (
    Challenge,
    Change,
    Data,
    Device as Name,
    DeviceType,
    Direction,
    Duration,
    GetHistory,
    Identifier,
    Listed,
    NotAuthorized,
    Permission,
    Prices,
    Receipt,
    Records,
    Role,
    SeriesPath,
    Shares,
    State,
    describe,
)
from consometers_quoalise.records.identifier import organisation, series
from consometers_quoalise_network import Account, Answerer, Asker, Identity
from demo.servers.prosody import Prosody
from testing.home_assistant.importing_toy import ImportingToy
from testing.homes.data_needs import NEED, YES, now
from testing.homes.served import API_TOKEN, DRAWN, ServedHome, running, toy
from testing.networks import PASSWORD, reach
from testing.waiting import eventually
from testing.xmpp.fixtures import MakeNode, NewAccount, XmppNode

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
PT1H: Final = Duration(seconds=3600)
ALL: Final = organisation("kersabiec")
TOP: Final = now().replace(minute=0, second=0, microsecond=0)
NAMES: Final = {way: series(ALL, way) for way in Direction}
MEDIAN: Final = series(ALL, Direction.CONSUMPTION, SeriesPath.MEDIAN)
STATISTIC: Final = f"{IN_COMMON}kersabiec_consumption"
AVERAGE: Final = f"{AVERAGES}kersabiec"
MONTH: Final = month_before(now())
CHALLENGE: Final = Challenge(
    name_fr="Le défi",
    name_en="The challenge",
    first_day=date(2026, 9, 28),
    last_day=date(2026, 12, 20),
    objective=10,
    participant="Lorient",
    participants=5,
    standing=Change(
        change=Decimal("-12.5"),
        low=Decimal("-15.4"),
        high=Decimal("-9.4"),
        rank_first=1,
        rank_last=1,
    ),
)


@dataclass
class Coop(Answerer):
    """A collective that answers each home with a permission."""

    role = Role.COLLECTIVE
    values: dict[str, dict[datetime, int]] = field(default_factory=dict)
    days: dict[str, dict[datetime, int]] = field(default_factory=dict)
    shares: dict[Name, Shares] = field(default_factory=dict)
    prices: Prices | None = None
    challenge: Challenge | None = None
    permissions: set[str] = field(default_factory=set)
    subscribers: set[tuple[str, str]] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    answers_series: bool = True
    times_asked: int = 0

    @override
    async def grant(self, asker: Asker, permission: Permission) -> Receipt:
        self.permissions.add(permission.id)
        return Receipt(permission=permission.id, state=State.GRANTED, time=now())

    @override
    async def withdraw(self, asker: Asker, permission: str, *, erase: bool) -> Receipt:
        self.permissions.discard(permission)
        return Receipt(permission=permission, state=State.WITHDRAWN, time=now())

    @override
    async def list_series(self, asker: Asker) -> Iterable[Listed]:
        if not self.permissions:
            return []
        self.times_asked += 1
        if not self.answers_series:
            return []
        listed = [
            Listed(
                series=series_name,
                interval=Duration(days=1)
                if series_name.quantity == SeriesPath.ENERGY_DAILY
                else PT1H,
                first=min(values, default=None),
                last=max(values, default=None),
                shares=self.shares.get(device) if series_name == name else None,
                prices=self.prices if series_name == NAMES[Direction.INJECTION] else None,
                challenge=self.challenge if series_name == NAMES[Direction.CONSUMPTION] else None,
            )
            for device, way in (
                *((ALL, way) for way in Direction),
                *((plant, Direction.PRODUCTION) for plant in self.shares),
            )
            for path in (SeriesPath.POWER, SeriesPath.ENERGY_DAILY)
            for name in [series(device, way, path)]
            for values in [{**self.values, **self.days}.get(str(name), {})]
            for series_name in (name, name.members)
        ]
        return [*listed, Listed(series=MEDIAN, interval=Duration(months=1), unit="Wh")]

    @override
    async def subscribe(self, asker: Asker, series: Identifier) -> None:
        self.subscribers.add((asker.jid, str(series)))

    @override
    async def unsubscribe(self, asker: Asker, series: Identifier) -> None:
        self.subscribers.discard((asker.jid, str(series)))

    @override
    async def get_history(self, asker: Asker, request: GetHistory) -> Data:
        if not self.permissions:
            raise NotAuthorized
        self.asked.append(str(request.identifier))
        start, end = request.range(now())
        if request.identifier == MEDIAN:
            begin = int(datetime(MONTH.year, MONTH.month, 1, tzinfo=TIME_ZONE).timestamp())
            paths = (SeriesPath.LOWER_QUARTILE, SeriesPath.MEDIAN, SeriesPath.UPPER_QUARTILE)
            names = [str(series(ALL, Direction.CONSUMPTION, path)) for path in paths]
            return Data(
                describe(MEDIAN, Duration(months=1), DeviceType.COLLECTIVE),
                tuple(
                    Records(name, "Wh", {begin: value})
                    for name, value in zip(names, (280_000, 390_000, 520_000), strict=True)
                ),
            )
        if days := self.days.get(str(request.identifier)):
            seconds: dict[float, float] = {
                int(at.timestamp()): wh for at, wh in days.items() if start <= at < end
            }
            described = describe(request.identifier, Duration(days=1), DeviceType.COLLECTIVE)
            return Data(described, (Records(str(request.identifier), "Wh", seconds),))
        values = self.values.get(str(request.identifier), {})
        return data(
            request.identifier, {at: value for at, value in values.items() if start <= at < end}
        )


def data(name: Identifier, values: dict[datetime, int], members: int = 37) -> Data:
    seconds: dict[float, float] = {int(at.timestamp()): watts for at, watts in values.items()}
    parts = [Records(str(name), "W", seconds)]
    parts += [Records(str(name.members), "count", dict.fromkeys(seconds, members))]
    return Data(describe(name, PT1H, DeviceType.COLLECTIVE), tuple(parts) if values else ())


@dataclass
class Stage:
    """A home whose page is served, and a collective."""

    home: ServedHome
    toy: ImportingToy
    coop: Coop
    node: XmppNode

    async def ask(self) -> dict[str, Any]:
        url = self.home.url / "api/v1/node"
        headers = {"Authorization": f"Bearer {API_TOKEN}"}
        async with self.home.session.get(url, headers=headers) as response:
            (collective,) = (await response.json())["collectives"]
        assert isinstance(collective, dict)
        return collective

    async def sums(self) -> Any:
        return (await self.ask())["sums"]

    async def push(self, name: Identifier, values: dict[datetime, int]) -> None:
        self.coop.values.setdefault(str(name), {}).update(values)
        for jid, names_subscribed in self.coop.subscribers:
            if names_subscribed == str(name):
                await self.node.pushing.push(jid, data(name, values))


@pytest.fixture
async def coop(other_server: Prosody, new_node: MakeNode) -> tuple[Coop, XmppNode]:
    coop = Coop(
        {
            str(NAMES[Direction.CONSUMPTION]): {TOP - n * HOUR: 1_000 + n for n in range(1, 40)},
            str(NAMES[Direction.INJECTION]): {TOP - n * HOUR: 10 for n in range(1, 40)},
        }
    )
    return coop, await new_node(other_server, coop)


@pytest.fixture
async def stage(
    file: Store,
    server: Prosody,
    new_account: NewAccount,
    coop: tuple[Coop, XmppNode],
    socket_enabled: None,
) -> AsyncIterator[Stage]:
    await save(file, Identity(Account(new_account(server), PASSWORD), reach(server)))
    fake = toy()
    house = ImportingToy(hours=fake.hours, answers=fake.answers, language="fr")
    house.metadata = {
        statistic["statistic_id"]: statistic
        for statistic in fake.answers["recorder/list_statistic_ids"]
    }
    async with running(file, house) as home:
        yield Stage(home, house, *coop)


async def share(stage: Stage, need: DataNeed = NEED) -> PermissionId:
    """Share with the collective, as the home."""
    wanted = Series(
        Device(DRAWN), Direction.CONSUMPTION, Quantity.ENERGY, Interval.PT1H, "Europe/Paris"
    )
    jid = stage.node.connection.stream.boundjid.bare
    async with stage.home.store.writing() as connection:
        peer = await add_peer(connection, jid, "Énergies de Kersabiec", now())
        permissions = Permissions(connection)
        number = await permissions.propose(peer.id, need, now())
        choice = Choice(series=frozenset({wanted}), identification=need.identification)
        await permissions.grant(number, choice, YES, now())
    stage.home.node.look_again()
    return number


async def pulled(stage: Stage) -> set[str]:
    async with stage.home.store.reading() as connection:
        return {statistic.statistic for statistic in await all_pulled(connection)}


async def test_home_imports_figures_of_its_collective(stage: Stage) -> None:
    stage.coop.prices = Prices(local=Decimal("15.5"), grid=Decimal(21))
    stage.coop.challenge = CHALLENGE
    await share(stage)

    await eventually(stage.sums, lambda sums: sums and sums["month"] and sums["last"])
    consumption = stage.coop.values[str(NAMES[Direction.CONSUMPTION])]
    await eventually(lambda: energies(stage), lambda values: values == consumption)
    sums = await eventually(stage.sums, lambda sums: sums["last"]["injection"] is not None)
    assert sums["interval"] == "PT1H"
    assert sums["last"] == {
        "start": (TOP - HOUR).isoformat(),
        "end": TOP.isoformat(),
        "consumption": 1_001,
        "injection": 10,
        "production": None,
        "members": 37,
    }
    assert sums["month"] == {
        "month": f"{MONTH:%Y-%m}",
        "mine": None,
        "median": 390_000,
        "lower": 280_000,
        "upper": 520_000,
    }
    assert sums["statistics"] == {
        "consumption": STATISTIC,
        "injection": f"{IN_COMMON}kersabiec_injection",
        "production": None,
        "consumption_per_member": AVERAGE,
    }
    assert sums["prices"] == {"local": 15.5, "grid": 21.0}
    assert (await stage.ask())["challenge"] == {
        "name": {"en": "The challenge", "fr": "Le défi"},
        "from": "2026-09-28",
        "to": "2026-12-20",
        "objective": 10,
        "participant": "Lorient",
        "participants": 5,
        "standing": {
            "change": -12.5,
            "low": -15.4,
            "high": -9.4,
            "rank_first": 1,
            "rank_last": 1,
        },
    }
    assert sums["problem"] is None
    # Each hour is divided by the members that it sums, to a sixteenth of a Wh.
    averages = partial(energies, stage, AVERAGE)
    await eventually(averages, lambda values: values.keys() == consumption.keys())
    assert stage.toy.energies(AVERAGE) == {
        at: round(watts / 37 * 16) / 16 for at, watts in consumption.items()
    }
    assert stage.toy.metadata[AVERAGE]["name"] == "Énergies de Kersabiec — consommation par membre"
    assert stage.toy.metadata[STATISTIC]["name"] == "Énergies de Kersabiec — consommation"
    # What a collective has is not this home's to share.
    page = await stage.home.browser().open("settings")
    assert not any(statistic in page.text for statistic in (STATISTIC, AVERAGE))
    assert (await stage.ask())["by_name"] is False
    # A public building is no home.
    await share(stage, replace(NEED, id="on-show", identification=Identification.NAME))
    school = await stage.ask()
    assert (school["by_name"], school["sums"]["month"]) == (True, None)


async def energies(stage: Stage, statistic: str = STATISTIC) -> dict[datetime, float]:
    return stage.toy.energies(statistic)


async def test_new_and_corrected_figures_are_imported(stage: Stage) -> None:
    await share(stage)
    name = NAMES[Direction.CONSUMPTION]
    await eventually(lambda: energies(stage), lambda values: len(values) == 39)
    changes = stage.home.node.changes.count
    await stage.push(name, {TOP - 3 * HOUR: 77, TOP: 2_000})
    assert stage.toy.energies(STATISTIC) == stage.coop.values[str(name)]
    assert stage.home.node.changes.count > changes
    made = NAMES[Direction.PRODUCTION]
    await eventually(
        lambda: subscribed(stage), lambda entries: str(made) in {series for _, series in entries}
    )
    await stage.push(made, {TOP: 500})
    sums = await eventually(stage.sums, lambda sums: sums["statistics"]["production"])
    assert sums["last"]["consumption"] == 2_000
    assert sums["last"]["production"] == 500
    assert sums["statistics"]["production"] == f"{IN_COMMON}kersabiec_production"
    assert stage.toy.energies(AVERAGE)[TOP] == round(2_000 / 37 * 16) / 16


async def test_home_imports_its_share_of_a_plant_and_corrects_it_locally(
    stage: Stage,
) -> None:
    plant = organisation("kersabiec-ecole")
    made, daily = (
        series(plant, Direction.PRODUCTION, path)
        for path in (SeriesPath.POWER, SeriesPath.ENERGY_DAILY)
    )
    stage.coop.shares[plant] = Shares(name="École", held=3, total=100)
    whole = {TOP - n * HOUR: 1_000 * n for n in range(1, 40)}
    stage.coop.values[str(made)] = whole
    midnights = [day.start for day in days_of(MONTH)]
    stage.coop.days[str(daily)] = dict.fromkeys(midnights, 10_000)
    await share(stage)
    statistic = f"{PARTS}kersabiec_ecole"

    part = partial(energies, stage, statistic)

    async def held_plants() -> Any:
        return (await stage.ask())["plants"]

    await eventually(part, lambda mine: mine == {at: watts * 0.03 for at, watts in whole.items()})
    assert stage.toy.metadata[statistic]["name"] == "École – ma part"
    (mine,) = await eventually(held_plants, lambda plants: plants and plants[0]["month"])
    assert (mine["id"], mine["name"], mine["statistic"]) == ("kersabiec_ecole", "École", statistic)
    assert (mine["shares"], mine["total_shares"], mine["corrected"]) == (3, 100, False)
    last = {"start": (TOP - HOUR).isoformat(), "end": TOP.isoformat(), "production": 30}
    assert mine["last"] == last
    assert mine["month"] == {
        "month": f"{MONTH:%Y-%m}",
        "production": 300 * len(midnights),
        "consumption": None,
        "coverage": None,
    }
    browser = stage.home.browser()
    page = await browser.open("settings")
    assert "3 shares of 100 according to your collective" in page.text
    # This home's part is made elsewhere: it is not its own to share.
    assert f"<code>{statistic}" not in page.html
    for typed in ("101", "-1", "two"):
        refused = await browser.send(page, "/shares", ("shares", typed))
        assert refused.status == 422
        assert "Write a whole number from 0 to 100" in refused.text
    before = set(stage.coop.asked)
    page = await browser.send(page, "/shares", ("shares", "10"))
    assert "corrected here" in page.text
    await eventually(part, lambda mine: mine == {at: watts * 0.1 for at, watts in whole.items()})
    # It asked for the same again, and no command has a field for shares.
    assert set(stage.coop.asked) == before
    (mine,) = await held_plants()
    assert (mine["shares"], mine["corrected"]) == (10, True)
    page = await browser.send(page, "/shares", ("shares", "0"))
    await eventually(held_plants, lambda plants: plants == [])
    assert len(await part()) == len(whole)
    page = await browser.send(page, "/shares", ("shares", ""))
    await eventually(part, lambda mine: mine == {at: watts * 0.03 for at, watts in whole.items()})
    # What comes new is taken by the part too.
    await stage.push(made, {TOP: 2_000})
    assert stage.toy.energies(statistic)[TOP] == 60


async def subscribed(stage: Stage) -> set[tuple[str, str]]:
    return stage.coop.subscribers


async def test_import_can_be_switched_off_and_on(stage: Stage) -> None:
    await share(stage)
    await eventually(lambda: energies(stage), lambda values: len(values) == 39)
    browser = stage.home.browser()
    page = await browser.fill("settings", "collectives")
    assert "They are not shown." in page.text
    await eventually(lambda: pulled(stage), lambda statistics: not statistics)
    await eventually(lambda: subscribed(stage), lambda series: not series)
    assert await stage.sums() is None
    assert len(stage.toy.energies(STATISTIC)) == 39
    page = await browser.send(page, "collectives")
    assert "for each collective" in page.text
    await eventually(stage.sums, lambda sums: sums and sums["last"])


async def test_collective_without_series_is_asked_again(stage: Stage) -> None:
    stage.coop.answers_series = False
    await share(stage)

    async def times_asked() -> int:
        return stage.coop.times_asked

    await eventually(times_asked, lambda times: times > 1)
    assert await stage.sums() is None
    assert await pulled(stage) == set()


async def test_monthly_consumption_sums_hourly_series(file: Store) -> None:
    hourly = Series(
        Device("sensor.a"), Direction.CONSUMPTION, Quantity.ENERGY, Interval.PT1H, "Europe/Paris"
    )
    power = Series(
        Device("sensor.b"), Direction.CONSUMPTION, Quantity.POWER, Interval.PT30M, "Europe/Paris"
    )
    daily = Series(
        Device("sensor.a"), Direction.CONSUMPTION, Quantity.ENERGY, Interval.P1D, "Europe/Paris"
    )
    fed = Series(
        Device("sensor.c"), Direction.INJECTION, Quantity.ENERGY, Interval.PT1H, "Europe/Paris"
    )
    first = datetime(MONTH.year, MONTH.month, 1, tzinfo=TIME_ZONE).astimezone(UTC)
    numbers: dict[SeriesId, Series] = {}
    async with file.writing() as connection:
        for each, value in ((hourly, 100), (power, 60), (fed, 7)):
            number = await add_series(connection, each)
            numbers[number] = each
            for n in range(-1, 33):
                day = (first + n * DAY).date()
                records = [Record(start, value) for start in each.starts(day)]
                await put_blocks(connection, {number: [Block.of(each, day, records)]}, now())
        numbers[await add_series(connection, daily)] = daily
        hours = round(sum((day.end - day.start) / HOUR for day in days_of(MONTH)))
        assert await drawn(connection, numbers, MONTH) == 160 * hours
        number = next(stored for stored, key in numbers.items() if key == hourly)
        hole = Block.of(hourly, (first + 5 * DAY).date(), ())
        await put_blocks(connection, {number: [hole]}, now())
        around = await drawn(connection, numbers, MONTH)
        assert around is not None
        assert abs(around - 160 * hours) < 200
        assert await drawn(connection, {}, MONTH) is None
