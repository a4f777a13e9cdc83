"""Members read the published sums as long as they are members, and no longer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from consometers_node.collective.about import store_about
from consometers_node.collective.members.members import MemberKind, Members
from consometers_node.collective.members.shares import hold
from consometers_node.collective.members.sites import Description
from consometers_node.collective.members.subscribers import Subscribers, end
from consometers_node.collective.privacy.export import everything
from consometers_node.collective.privacy.retention import _update
from consometers_node.collective.publication.closing.quartiles import range_of
from consometers_node.collective.publication.policy import InForce
from consometers_node.i18n.text import Text
from consometers_node.permission import Permission, Permissions, State
from consometers_node.series import Device, Direction, Interval
from consometers_node.sharing.names import keep_collective
from consometers_node.store import Store
from consometers_node.store.collective.groups import GroupKind, group_id
from consometers_node.store.collective.publication import HomeQuartiles, write_month
from consometers_node.store.collective.published_series import own_series
from consometers_node.store.collective.tables import (
    ChallengeParticipantRow,
    ChallengeRow,
    MemberRow,
)
from consometers_node.store.peers import MEMBER, all_peers, peer_by_jid
from consometers_node.store.tables import (
    OutboxRow,
    PeerRow,
    PermittedRow,
    RegisterRow,
    SubscriptionRow,
)
from consometers_quoalise import (
    BadRequest,
    Challenge,
    Data,
    ItemNotFound,
    NotAuthorized,
    Prices,
    SeriesPath,
    Shares,
)
from consometers_quoalise.records.identifier import organisation, series as name_of
from consometers_quoalise_network import Receiving
from testing.clocks import Hands, confirmed, leaping
from testing.collectives.members import join as member_joins
from testing.collectives.published import Sum, publish
from testing.collectives.running import Coop
from testing.homes.data_needs import now
from testing.homes.ledgers import HOUR, midnight
from testing.homes.running import RunningHome, decisions_confirmed, running
from testing.networks import Memory
from testing.pages.town import settings
from testing.run import DEADLINE_S
from testing.sentences import says
from testing.waiting import until
from testing.xmpp.fixtures import NewAccount

ALL = organisation("kersabiec")
DRAWN = name_of(ALL, Direction.CONSUMPTION)
MEDIAN = name_of(ALL, Direction.CONSUMPTION, SeriesPath.MEDIAN)
SERIES = own_series(Device(str(ALL)), Direction.CONSUMPTION, Interval.PT1H, "Europe/Paris")
START = midnight(-1)
DAY = timedelta(days=1)
SERIES_EACH = 6
"""Three directions, by hours and by days."""


async def join(coop: Coop, house: RunningHome) -> None:
    await house.sharing.asking.get_data_needs(coop.jid, await coop.invite())
    await house.grant()
    await decisions_confirmed(house)


async def release(coop: Coop, values: list[int], members: int = 12, at: datetime = START) -> None:
    """Publish some hours of a day."""
    new = [Sum(at + n * HOUR, value * 60, members) for n, value in enumerate(values)]
    async with coop.store.writing() as connection:
        await publish(connection, {SERIES: new}, now())
    coop.node.look_again()


def read(data: Data) -> dict[str, list[float]]:
    return {
        record.name: [float(value) for value in record.values.values()] for record in data.records
    }


def receive(house: RunningHome) -> Mapping[str, list[float]]:
    """Have a home take what is pushed to it; return the last values of each series."""
    came: dict[str, list[float]] = {}

    async def take(_sender: str, data: Data) -> None:
        came.update(read(data))

    Receiving(house.connection, take)
    house.sharing.announcement.receives = True
    return came


async def permitted(coop: Coop) -> int:
    async with coop.store.reading() as connection:
        query = (
            select(func.count())
            .select_from(PermittedRow)
            .join(PeerRow, PeerRow.id == PermittedRow.peer_id)
        )
        return (await connection.execute(query.where(PeerRow.jid.startswith(MEMBER)))).scalar_one()


async def rows(coop: Coop, table: type[OutboxRow | SubscriptionRow]) -> int:
    async with coop.store.reading() as connection:
        return (await connection.execute(select(func.count()).select_from(table))).scalar_one()


async def until_async(count: Callable[[], Awaitable[int]], wanted: int) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while await count() != wanted:
            await asyncio.sleep(0.05)


async def granted_by(house: RunningHome) -> list[Permission]:
    async with house.store.reading() as connection:
        every = await Permissions(connection).all()
    return [permission for permission in every if permission.state is State.GRANTED]


def utc(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=UTC)  # type: ignore[misc,arg-type]


async def test_a_member_reads_the_published_sums(coop: Coop, house: RunningHome) -> None:
    ask = house.sharing.asking
    with pytest.raises(NotAuthorized):
        await ask.get_history(coop.jid, DRAWN, START, START + HOUR)
    assert await ask.list_series(coop.jid) == ()
    await join(coop, house)
    await release(coop, [100, 200, 300])
    assert read(await ask.get_history(coop.jid, DRAWN, START, START + 2 * HOUR)) == {
        str(DRAWN): [100, 200],
        str(DRAWN.members): [12, 12],
    }
    listed = {entry.series: entry for entry in await ask.list_series(coop.jid)}
    assert listed[DRAWN].first == START
    assert listed[DRAWN].last == START + 2 * HOUR
    assert {str(series.direction) for series in listed} == {
        "consumption",
        "injection",
        "production",
    }
    assert {series.quantity for series in listed if series.summed is None} == {
        SeriesPath.POWER,
        SeriesPath.ENERGY_DAILY,
        SeriesPath.LOWER_QUARTILE,
        SeriesPath.MEDIAN,
        SeriesPath.UPPER_QUARTILE,
    }
    with pytest.raises(ItemNotFound):
        await ask.get_history(coop.jid, name_of(organisation("elorn"), Direction.CONSUMPTION))
    assert not any(entry.prices for entry in listed.values())
    about = coop.settings.about
    stated = replace(
        about,
        local_price=Decimal("15.5"),
        grid_price=Decimal(21),
        price_source=Text({"fr": "Exemple", "en": "Example"}),
    )
    async with coop.store.writing() as connection:
        await store_about(connection, stated, about)
    priced = {entry.series: entry.prices for entry in await ask.list_series(coop.jid)}
    assert {name for name, prices in priced.items() if prices is not None} == {
        name_of(ALL, Direction.INJECTION),
        name_of(ALL, Direction.INJECTION, SeriesPath.ENERGY_DAILY),
    }
    assert priced[name_of(ALL, Direction.INJECTION)] == Prices(
        local=Decimal("15.5"), grid=Decimal(21)
    )


async def test_a_member_reads_the_challenge_of_its_commune(coop: Coop, house: RunningHome) -> None:
    """The challenge as it is public, with nothing of a home."""
    ask = house.sharing.asking
    await join(coop, house)
    await release(coop, [100])
    today = now().date()
    row = ChallengeRow
    async with coop.store.writing() as connection:
        made = insert(row).values(
            name_fr="Le défi",
            name_en="The challenge",
            first_day=today - timedelta(days=3),
            last_day=today + timedelta(days=30),
            objective_percent=10,
        )
        number = (await connection.execute(made.returning(row.id))).scalar_one()
        for name in ("Lorient", "Lanester"):
            group = await group_id(connection, GroupKind.AREA, name)
            await connection.execute(
                insert(ChallengeParticipantRow).values(challenge_id=number, group_id=group)
            )
            device = Device(str(organisation(f"kersabiec-{name.lower()}")))
            series = own_series(device, Direction.CONSUMPTION, Interval.PT1H, "Europe/Paris")
            sums = {series: [Sum(START, 6_000, 12)]}
            await publish(connection, sums, now(), kind=GroupKind.AREA, name=name)
    assert not any(entry.challenge for entry in await ask.list_series(coop.jid))
    async with coop.store.writing() as connection:
        await connection.execute(update(MemberRow).values(area="Lorient"))
    listed = {entry.series: entry.challenge for entry in await ask.list_series(coop.jid)}
    assert {name for name, challenge in listed.items() if challenge is not None} == {
        DRAWN,
        name_of(ALL, Direction.CONSUMPTION, SeriesPath.ENERGY_DAILY),
    }
    assert listed[DRAWN] == Challenge(
        name_fr="Le défi",
        name_en="The challenge",
        first_day=today - timedelta(days=3),
        last_day=today + timedelta(days=30),
        objective=10,
        participant="Lorient",
        participants=2,
    )


async def test_a_member_reads_its_shares_and_their_production(
    coop: Coop, house: RunningHome
) -> None:
    ask = house.sharing.asking
    await join(coop, house)
    made = organisation("kersabiec-ecole")
    async with coop.store.writing() as connection:
        members = Members(connection, coop.settings.time_zone)
        (holder,) = await members.all()
        site = {
            "pseudonym": "school",
            "jid": "school@example.org",
            "kind": MemberKind.SITE,
            "name": "École",
            "description": Description(shares=100).pack(),
            "joined_at": now(),
        }
        made_site = insert(MemberRow).values(site).returning(MemberRow.id)
        school = (await connection.execute(made_site)).scalar_one()
        await group_id(connection, GroupKind.SITE, "École")
        await hold(connection, holder.id, {school: 3})
    await until_async(lambda: permitted(coop), SERIES_EACH + 2)
    series = own_series(Device(str(made)), Direction.PRODUCTION, Interval.PT1H, "Europe/Paris")
    async with coop.store.writing() as connection:
        new = {series: [Sum(START, 6_000, 1)]}
        await publish(connection, new, now(), kind=GroupKind.SITE, name="École")
    listed = {entry.series: entry for entry in await ask.list_series(coop.jid)}
    shares = {name: entry.shares for name, entry in listed.items() if entry.shares is not None}
    assert set(shares.values()) == {Shares(name="École", held=3, total=100)}
    assert {(name.device, name.direction, name.quantity) for name in shares} == {
        (made, Direction.PRODUCTION, SeriesPath.POWER),
        (made, Direction.PRODUCTION, SeriesPath.ENERGY_DAILY),
    }
    history = await ask.get_history(
        coop.jid, name_of(made, Direction.PRODUCTION), START, START + HOUR
    )
    assert read(history)[str(name_of(made, Direction.PRODUCTION))] == [100]


async def test_a_member_receives_new_sums_and_older_ones_that_are_published_later(
    coop: Coop, server: Memory, new_account: NewAccount, file: Store
) -> None:
    async with running(file, server, new_account(server), coop.jid) as house:
        await house.connection.online(DEADLINE_S)
        await join(coop, house)
        came = receive(house)
        await release(coop, [100, 200])
        await house.sharing.asking.subscribe(coop.jid, DRAWN)
        await release(coop, [300], at=START + 2 * HOUR)
        await until(lambda: came == {str(DRAWN): [300], str(DRAWN.members): [12]})
        await release(coop, [150], at=START - 48 * HOUR)
        await until(lambda: came == {str(DRAWN): [150], str(DRAWN.members): [12]})
        await until_async(lambda: rows(coop, OutboxRow), 0)


async def test_a_member_that_left_reads_nothing_more(coop: Coop, house: RunningHome) -> None:
    ask = house.sharing.asking
    await join(coop, house)
    await release(coop, [100])
    await ask.subscribe(coop.jid, DRAWN)
    # It cannot be there: nobody takes what is pushed to this home.
    await release(coop, [200], at=START + HOUR)
    await until_async(lambda: rows(coop, OutboxRow), 1)
    (permission,) = [permission.id for permission in await granted_by(house)]
    await house.withdraw(permission)
    await decisions_confirmed(house)
    assert await permitted(coop) == 0
    assert await rows(coop, OutboxRow) == await rows(coop, SubscriptionRow) == 0
    for attempt in (
        ask.get_history(coop.jid, DRAWN, START, START + HOUR),
        ask.get_history(coop.jid, MEDIAN, START, START + HOUR),
        ask.subscribe(coop.jid, DRAWN),
    ):
        with pytest.raises((NotAuthorized, ItemNotFound)):
            await attempt
    assert await ask.list_series(coop.jid) == ()


async def test_reads_are_logged_under_the_pseudonym_and_exported(
    coop: Coop, house: RunningHome
) -> None:
    await join(coop, house)
    assert await permitted(coop) == SERIES_EACH
    await release(coop, [100])
    await house.sharing.asking.subscribe(coop.jid, DRAWN)
    await house.sharing.asking.get_history(coop.jid, DRAWN, START, START + HOUR)
    async with coop.store.reading() as connection:
        (member,) = await Members(connection, coop.settings.time_zone).all()
        assert await all_peers(connection) == []
        peer = await peer_by_jid(connection, MEMBER + member.pseudonym)
        assert peer is not None
        assert (peer.name, peer.is_member) == (member.pseudonym, True)
        held: dict[str, Any] = await everything(connection, member)
    assert [row["jid"] for row in held["peer"]] == [MEMBER + member.pseudonym]
    assert [entry["command"] for entry in held["answer"]] == ["get_history"]
    assert len(held["subscription"]) == 1
    assert len(held["permission_series"]) == SERIES_EACH
    assert [entry["state"] for entry in held["register"]] == ["proposed", "granted"]
    assert held["shown_text"]


async def test_the_setting_grants_and_revokes_access_of_earlier_members(
    coop: Coop, house: RunningHome
) -> None:
    await join(coop, house)
    readers = Subscribers(ALL, "Europe/Paris")
    nobody = replace(readers, allowed=False)
    at = now()
    await coop.stop()
    async with coop.store.writing() as connection:
        assert await nobody.update(connection, Interval.PT1H, at, 5) == 1
        assert await nobody.update(connection, Interval.PT1H, at, 5) == 0
        (member,) = await Members(connection, coop.settings.time_zone).all()
        await nobody.grant(connection, member.pseudonym, Interval.PT1H, at)
    assert await permitted(coop) == 0
    async with coop.store.writing() as connection:
        assert await readers.update(connection, Interval.PT1H, at, 0) == 0
        assert await readers.update(connection, Interval.PT1H, at, 5) == 1
        assert await readers.update(connection, Interval.PT1H, at, 5) == 0
        await readers.grant(connection, member.pseudonym, Interval.PT1H, at)
        # Figures of another interval are another series.
        assert await readers.update(connection, Interval.PT30M, at, 5) == 1
        assert not await readers.are_current(connection, Interval.PT30M)
        assert await readers.update(connection, Interval.PT30M, at, 5) == 1
        assert await readers.are_current(connection, Interval.PT30M)
        assert await readers.update(connection, Interval.PT30M, at, 5) == 0
    assert await permitted(coop) == SERIES_EACH
    async with coop.store.writing() as connection:
        await end(connection, member.pseudonym)
    assert await permitted(coop) == 0
    # The node lets those read that joined before.
    await coop.start()
    await until_async(lambda: permitted(coop), SERIES_EACH)


@pytest.mark.parametrize("reads", [1, 2])
async def test_a_clock_that_leaps_after_its_check_dates_no_access_ahead(
    store: Store, tmp_path: Path, reads: int
) -> None:
    hands = Hands(now())
    await keep_collective(store, "kersabiec")
    async with store.writing() as connection:
        await member_joins(connection, "a", at=hands.at)
    await confirmed(store, hands)
    at, readers = hands.at, Subscribers(ALL, "Europe/Paris")
    rules = InForce(settings(tmp_path).publication)
    clock = leaping(hands, reads)
    assert await _update(store, readers, rules, clock)
    async with store.reading() as connection:
        granted = await connection.execute(select(RegisterRow.at))
        assert {*granted.scalars()} == {at}


async def test_quartiles_are_sent_with_the_days(coop: Coop, house: RunningHome) -> None:
    ask = house.sharing.asking
    await join(coop, house)
    begin, until_april = utc(2026, 1, 31, 23), utc(2026, 3, 31, 22)
    quartiles = HomeQuartiles(12, *(60 * wh for wh in (5_000, 8_000, 9_100)))
    async with coop.store.writing() as connection:
        for month, spread in ((date(2026, 2, 1), quartiles), (date(2026, 3, 1), None)):
            within = range_of(month, "Europe/Paris")
            await write_month(connection, Direction.CONSUMPTION, within, spread)
    asked = await ask.get_history(coop.jid, MEDIAN, begin, until_april)
    at = int(begin.timestamp())
    names = {
        path: str(name_of(ALL, Direction.CONSUMPTION, path))
        for path in (SeriesPath.LOWER_QUARTILE, SeriesPath.MEDIAN, SeriesPath.UPPER_QUARTILE)
    }
    assert {record.name: dict(record.values) for record in asked.records} == {
        names[SeriesPath.LOWER_QUARTILE]: {at: 140_000},
        names[SeriesPath.MEDIAN]: {at: 224_000},
        names[SeriesPath.UPPER_QUARTILE]: {at: 254_800},
    }
    measured = asked.metadata.measurement
    assert measured is not None
    assert (measured.aggregation, str(measured.sampling_interval)) == ("median", "P1M")
    alone = await ask.get_history(
        coop.jid,
        name_of(ALL, Direction.CONSUMPTION, SeriesPath.UPPER_QUARTILE),
        begin,
        until_april,
    )
    assert read(alone) == {names[SeriesPath.UPPER_QUARTILE]: [254_800]}
    with pytest.raises(BadRequest, check=says("once a month")):
        await ask.subscribe(coop.jid, MEDIAN)
    with pytest.raises(BadRequest, check=says("12 months")):
        await ask.get_history(coop.jid, MEDIAN, begin - 400 * DAY, until_april)


async def test_a_member_that_was_away_receives_the_backlog(
    coop: Coop, server: Memory, new_account: NewAccount, file: Store
) -> None:
    account = new_account(server)
    async with running(file, server, account, coop.jid) as house:
        # What leaves for a home that confirms nothing does not wait for it.
        receive(house)
        await house.connection.online(DEADLINE_S)
        await join(coop, house)
        await release(coop, [100])
        await house.sharing.asking.subscribe(coop.jid, DRAWN)
    await release(coop, [200], at=START + HOUR)
    await until_async(lambda: rows(coop, OutboxRow), 1)
    await coop.stop()
    await coop.start()
    async with running(file, server, account, coop.jid) as house:
        came = receive(house)
        await house.connection.online(DEADLINE_S)
        await house.sharing.asking.list_series(coop.jid)
        await until(lambda: came == {str(DRAWN): [200], str(DRAWN.members): [12]})
        await until_async(lambda: rows(coop, OutboxRow), 0)
