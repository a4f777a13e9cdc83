"""Permissions in a database: proposed, answered, ended, with a register of it all."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
import logging

import pytest

from consometers_node.permission import (
    Actor,
    ChangedNeed,
    Choice,
    ForbiddenChange,
    Identification,
    NotNarrower,
    OutdatedNeed,
    Permissions,
    Reading,
    ShownText,
    Signature,
    State,
    UnknownPermission,
)
from consometers_node.permission.needs import newest_version
from consometers_node.series import Device, Interval, Range, Series
from consometers_node.store import PeerId, PermissionId, Store
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.errors import DAMAGED, Unusable
from consometers_node.store.household.enrolments import add_enrolment, update_enrolment
from consometers_node.store.peers import MEMBER, add_peer
from testing.clocks import sure
from testing.databases.cheating import granting
from testing.databases.fixtures import Place
from testing.databases.sql import plain
from testing.homes.data_needs import (
    CHOICE,
    CHOICE_OF_PROTECTED,
    DAILY,
    HOURLY,
    INJECTED,
    NEED,
    NO,
    PRODUCED,
    PROTECTED,
    STOP,
    YES,
    grant,
    now,
)
from testing.homes.permissions import make_world

VERSION_2 = replace(NEED, version=2, history_days=60)


@pytest.fixture
async def connection(store: Store) -> AsyncIterator[AsyncConnection]:
    async with store.writing() as connection:
        yield connection


@pytest.fixture
def permissions(connection: AsyncConnection) -> Permissions:
    return Permissions(connection)


@pytest.fixture
async def coop(connection: AsyncConnection) -> PeerId:
    return (await add_peer(connection, "coop@example.org", "Coop", now())).id


async def test_a_proposal_is_stored_as_received(permissions: Permissions, coop: PeerId) -> None:
    proposed = await permissions.propose(coop, NEED, now())
    asked = await permissions.get(proposed)
    assert asked.need == NEED
    assert asked.state is State.PROPOSED
    assert asked.terms is None
    (entry,) = await permissions.entries(proposed)
    assert (entry.state, entry.actor, entry.who) == (
        State.PROPOSED,
        Actor.PEER,
        "coop@example.org",
    )


async def test_a_person_can_propose_in_the_name_of_a_peer(
    permissions: Permissions, coop: PeerId
) -> None:
    proposed = await permissions.propose(coop, NEED, now(), who="cli")
    (entry,) = await permissions.entries(proposed)
    assert (entry.actor, entry.who) == (Actor.HOUSEHOLD, "cli")


async def test_a_grant_records_its_terms_and_author(permissions: Permissions, coop: PeerId) -> None:
    proposed = await permissions.propose(coop, NEED, now())
    terms = await permissions.grant(proposed, CHOICE, YES, now())
    granted = await permissions.get(proposed)
    assert granted.state is State.GRANTED
    assert granted.terms == terms
    entry = (await permissions.entries(proposed))[-1]
    assert (entry.actor, entry.who, entry.language) == (Actor.HOUSEHOLD, "user-1", "en")
    assert await permissions.shown_text(entry) == YES.text


async def test_granted_series_are_permitted_until_the_withdrawal(
    permissions: Permissions, coop: PeerId
) -> None:
    choice = Choice(series=frozenset({HOURLY, INJECTED, DAILY}))
    granted = await grant(permissions, coop, choice=choice)
    terms = (await permissions.get(granted)).terms
    assert terms is not None
    permitted = await permissions.permitted(coop)
    assert {entry.series for entry in permitted} == choice.series
    for permit in permitted:
        assert permit.permission == granted
        assert permit.records == terms.records
        assert permit.identification is terms.identification
    await permissions.withdraw(granted, STOP, now())
    assert await permissions.permitted(coop) == []


async def test_subscribed_power_that_left_may_change_and_no_other_is_added(
    permissions: Permissions, coop: PeerId
) -> None:
    choice = replace(CHOICE, subscribed_kva={HOURLY.device: 6})
    granted = await grant(permissions, coop, choice=choice)
    unsaid = await grant(permissions, coop, replace(NEED, id="unsaid"))
    ended = await grant(permissions, coop, replace(NEED, id="ended"), choice)
    await permissions.withdraw(ended, STOP, now())

    async def powers() -> list[dict[Series, int]]:
        terms = [(await permissions.get(number)).terms for number in (granted, unsaid, ended)]
        return [dict(each.subscribed_kva) for each in terms if each is not None]

    assert await powers() == [{HOURLY: 6}, {}, {HOURLY: 6}]
    assert not await permissions.note_subscribed({HOURLY.device: 6, Device("another"): 36})
    assert await permissions.note_subscribed({HOURLY.device: 9, Device("another"): 36})
    assert await powers() == [{HOURLY: 9}, {}, {HOURLY: 6}]
    assert await permissions.note_subscribed({}) is False


async def test_a_shown_text_is_stored_once(permissions: Permissions, coop: PeerId) -> None:
    entries = []
    for need in ("one", "two"):
        granted = await grant(permissions, coop, replace(NEED, id=need))
        entries.append((await permissions.entries(granted))[-1])
    assert entries[0].text_hash == entries[1].text_hash
    assert await permissions.shown_text(entries[1]) == YES.text


async def test_an_open_proposal_is_not_repeated(permissions: Permissions, coop: PeerId) -> None:
    proposed = await permissions.propose(coop, NEED, now())
    assert await permissions.propose(coop, NEED, now()) == proposed
    await permissions.grant(proposed, CHOICE, YES, now())
    assert await permissions.propose(coop, NEED, now()) == proposed
    await permissions.withdraw(proposed, STOP, now())
    again = await permissions.propose(coop, NEED, now())
    assert again != proposed
    assert [permission.id for permission in await permissions.all(coop)] == [proposed, again]


async def test_a_granted_new_version_ends_the_older_one(
    permissions: Permissions, coop: PeerId
) -> None:
    first = await grant(permissions, coop)
    second = await permissions.propose(coop, VERSION_2, now())
    assert (await permissions.get(first)).state is State.GRANTED
    await permissions.grant(second, CHOICE, YES, now())
    states = [(await permissions.get(permission)).state for permission in (first, second)]
    assert states == [State.TERMINATED, State.GRANTED]


async def test_refusing_a_new_version_keeps_the_older_one(
    permissions: Permissions, coop: PeerId
) -> None:
    first = await grant(permissions, coop)
    second = await permissions.propose(coop, VERSION_2, now())
    await permissions.refuse(second, NO, now())
    assert [permission.state for permission in await permissions.all()] == [
        State.GRANTED,
        State.REFUSED,
    ]
    assert {entry.permission for entry in await permissions.permitted(coop)} == {first}


async def test_only_the_newest_version_is_answered(permissions: Permissions, coop: PeerId) -> None:
    first = await permissions.propose(coop, NEED, now())
    await permissions.propose(coop, VERSION_2, now())
    with pytest.raises(OutdatedNeed):
        await permissions.grant(first, CHOICE, YES, now())
    with pytest.raises(ChangedNeed, match=r"data need sunny-roofs changed, but 2 is not a newer"):
        await permissions.propose(coop, replace(VERSION_2, history_days=61), now())
    await permissions.propose(coop, replace(NEED, id="other", version=2), now())
    with pytest.raises(ChangedNeed, match=r"data need other changed, but 1 is not a newer"):
        await permissions.propose(coop, replace(NEED, id="other", version=1), now())


async def test_a_newer_version_outdates_no_other_need_and_that_of_no_other_peer(
    connection: AsyncConnection, permissions: Permissions, coop: PeerId
) -> None:
    town = (await add_peer(connection, "town@example.org", "Town", now())).id
    assert await newest_version(connection, coop, NEED.id) == 0
    await permissions.propose(coop, VERSION_2, now())
    assert await newest_version(connection, coop, NEED.id) == 2
    for peer, need in ((town, NEED), (coop, replace(NEED, id="other"))):
        proposed = await permissions.propose(peer, need, now())
        await permissions.grant(proposed, CHOICE, YES, now())


async def test_a_need_without_its_series_is_a_damaged_file(file: Store) -> None:
    async with file.writing() as connection:
        coop = (await add_peer(connection, "coop@example.org", "Coop", now())).id
        proposed = await Permissions(connection).propose(coop, NEED, now())
        rules = "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = '{}'"
        for (rule,) in await connection.exec_driver_sql(rules.format("data_need_series")):
            await connection.exec_driver_sql(f"DROP TRIGGER {rule}")
        await connection.exec_driver_sql("DELETE FROM data_need_series")
        with pytest.raises(Unusable) as damaged:
            await Permissions(connection).get(proposed)
        assert damaged.value.text == DAMAGED


async def test_a_wider_choice_grants_nothing(permissions: Permissions, coop: PeerId) -> None:
    proposed = await permissions.propose(coop, NEED, now())
    wider = Choice(series=frozenset({PRODUCED}), interval=Interval.PT5M)
    with pytest.raises(NotNarrower):
        await permissions.grant(proposed, wider, YES, now())
    assert (await permissions.get(proposed)).state is State.PROPOSED


async def test_an_ended_permission_stays_ended(permissions: Permissions, coop: PeerId) -> None:
    over = await grant(permissions, coop)
    await permissions.terminate(over, now())
    afters = []
    for attempt in (
        permissions.withdraw(over, STOP, now()),
        permissions.terminate(over, now()),
        permissions.refuse(over, NO, now()),
        permissions.grant(over, CHOICE, YES, now()),
    ):
        with pytest.raises(ForbiddenChange) as forbidden:
            await attempt
        assert forbidden.value.before is State.TERMINATED
        afters.append(forbidden.value.after)
    assert afters == [State.WITHDRAWN, State.TERMINATED, State.REFUSED, State.GRANTED]
    with pytest.raises(UnknownPermission):
        await permissions.withdraw(PermissionId("invented"), STOP, now())


async def test_an_expired_permission_gets_its_entry(store: Store, place: Place) -> None:
    world = await make_world(store)
    past = {"valid_from": "{now} - 200", "valid_until": "{now} - 100"}
    with plain(place) as connection:
        connection.run(*granting(world.proposed, world.hourly, **past))
    async with store.writing() as connection:
        permissions = Permissions(connection)
        assert {entry.permission for entry in await permissions.permitted(world.coop)} == {
            world.granted
        }
        terms = (await permissions.get(world.proposed)).terms
        assert terms is not None
        # The last instant is over: records end before it.
        assert await permissions.expire(sure(terms.valid_until)) == [world.proposed]
        assert await permissions.expire(sure(now())) == []
        last = (await permissions.entries(world.proposed))[-1]
        assert (last.state, last.actor, last.who) == (State.EXPIRED, Actor.CLOCK, None)


async def test_notices_are_due_until_the_peer_confirms(
    permissions: Permissions, coop: PeerId
) -> None:
    granted = await grant(permissions, coop)
    await permissions.withdraw(granted, STOP, now(), erase=False)
    first, second = await permissions.notices(coop)
    assert (first.permission, first.state, first.erase) == (granted, State.GRANTED, None)
    # A 0 would be read as a wish that nobody has answered: to erase.
    assert second.state is State.WITHDRAWN
    assert second.erase is False
    await permissions.keep_receipt(first.seq, "receipt", now())
    assert await permissions.notices(coop) == [second]


async def test_a_need_for_a_sum_lets_no_record_leave(
    permissions: Permissions, coop: PeerId
) -> None:
    granted = await grant(permissions, coop, PROTECTED, CHOICE_OF_PROTECTED)
    assert (await permissions.get(granted)).need == PROTECTED
    assert await permissions.permitted(coop) == []


async def test_permissions_of_two_peers_do_not_mix(
    connection: AsyncConnection, permissions: Permissions, coop: PeerId
) -> None:
    town = (await add_peer(connection, "town@example.org", "Town", now())).id
    granted = await grant(permissions, coop)
    assert await permissions.permitted(town) == []
    assert await permissions.all(town) == []
    await grant(permissions, town, replace(NEED, version=3))
    await permissions.withdraw(granted, STOP, now())
    (left,) = await permissions.permitted(town)
    assert left.records.covers(Range(now() - timedelta(hours=1), now()))


async def test_what_a_peer_may_read_names_its_permission_and_series(
    permissions: Permissions, coop: PeerId
) -> None:
    by_point = replace(NEED, identification=Identification.DELIVERY_POINT)
    granted = await grant(permissions, coop, by_point)
    (permit,) = await permissions.permitted(coop)
    assert (permit.permission, permit.series) == (granted, HOURLY)
    assert (permit.identification, permit.reading) == (
        Identification.DELIVERY_POINT,
        Reading.INDIVIDUAL,
    )
    assert permit.series_id


async def test_records_may_leave_while_a_permission_is_granted(
    permissions: Permissions, coop: PeerId
) -> None:
    proposed = await permissions.propose(coop, NEED, now())
    assert not await permissions.may_leave(proposed)
    await permissions.grant(proposed, CHOICE, YES, now())
    assert await permissions.may_leave(proposed)
    other = await permissions.propose(coop, replace(NEED, id="other"), now())
    assert not await permissions.may_leave(other)
    assert await permissions.withdraw(proposed, STOP, now())
    assert not await permissions.may_leave(proposed)


async def test_each_entry_has_its_time_and_the_text_that_was_shown(
    permissions: Permissions, coop: PeerId
) -> None:
    at = now()
    granted = await grant(permissions, coop)
    await permissions.withdraw(granted, STOP, at)
    first, second, third = await permissions.entries(granted)
    assert first.seq < second.seq < third.seq
    assert [entry.state for entry in (first, second, third)] == [
        State.PROPOSED,
        State.GRANTED,
        State.WITHDRAWN,
    ]
    assert (first.text_hash, first.language) == (None, None)
    assert await permissions.shown_text(first) is None
    assert (second.text_hash, second.language) == (YES.text.hash, "en")
    assert (third.at, third.who, third.text_hash) == (at, "user-2", STOP.text.hash)
    assert await permissions.shown_text(third) == STOP.text


async def test_a_receipt_is_none_until_it_has_come(permissions: Permissions, coop: PeerId) -> None:
    granted = await grant(permissions, coop)
    await permissions.withdraw(granted, STOP, now())
    first, second = await permissions.notices(coop)
    assert not first.is_under_way
    assert second.erase
    await permissions.begin_notice(first.seq)
    sent, waiting = await permissions.notices(coop)
    assert sent == replace(first, is_under_way=True)
    assert waiting == second
    none = [(receipt.at, receipt.receipt) for receipt in await permissions.receipts(granted)]
    assert none == [(None, None), (None, None)]
    at = now()
    await permissions.keep_receipt(first.seq, "signed", at)
    signed, other = await permissions.receipts(granted)
    assert (signed.seq, signed.erase, signed.at, signed.receipt) == (first.seq, None, at, "signed")
    assert (other.seq, other.erase, other.at, other.receipt) == (second.seq, True, None, None)


async def test_a_peer_has_its_own_notices_alone(
    connection: AsyncConnection, permissions: Permissions, coop: PeerId
) -> None:
    town = (await add_peer(connection, "town@example.org", "Town", now())).id
    granted = await grant(permissions, coop)
    other = await grant(permissions, town, replace(NEED, version=3))
    assert [notice.permission for notice in await permissions.notices(coop)] == [granted]
    assert [notice.permission for notice in await permissions.notices(town)] == [other]
    assert len(await permissions.receipts(granted)) == 1


async def test_members_are_listed_by_their_own_collective_alone(
    connection: AsyncConnection, permissions: Permissions, coop: PeerId
) -> None:
    """What a member permits is not what this node permits."""
    member = (await add_peer(connection, f"{MEMBER}1", "A member", now())).id
    await grant(permissions, member)
    own = await permissions.propose(coop, NEED, now())
    assert [permission.id for permission in await permissions.all()] == [own]
    assert [permission.peer for permission in await permissions.all(member)] == [member]


async def test_an_expired_permission_is_over_at_its_last_instant(
    permissions: Permissions, coop: PeerId
) -> None:
    granted = await grant(permissions, coop)
    terms = (await permissions.get(granted)).terms
    assert terms is not None
    assert await permissions.expire(sure(terms.valid_until - timedelta(seconds=1))) == []
    assert (await permissions.get(granted)).may_become(State.EXPIRED)
    assert not (await permissions.get(granted)).may_become(State.PROPOSED)


async def test_an_entry_has_its_text_in_the_language_that_was_shown(
    permissions: Permissions, coop: PeerId
) -> None:
    """A brand's name may be the same in two languages, and a language has many texts."""
    texts = [
        ShownText(language, body)
        for language, body in (("en", "Sunny roofs"), ("fr", "Sunny roofs"), ("fr", "Oui"))
    ]
    for number, text in enumerate(texts):
        proposed = await permissions.propose(coop, replace(NEED, id=f"need-{number}"), now())
        await permissions.refuse(proposed, Signature("user-1", text), now())
    entries = [(await permissions.entries(each.id))[-1] for each in await permissions.all(coop)]
    assert [await permissions.shown_text(entry) for entry in entries] == texts


async def test_a_withdrawal_that_the_register_refuses_is_valid_all_the_same(
    permissions: Permissions, coop: PeerId, caplog: pytest.LogCaptureFixture
) -> None:
    other = await grant(permissions, coop, replace(NEED, id="other"))
    granted = await grant(permissions, coop)
    with caplog.at_level(logging.WARNING):
        assert not await permissions.withdraw(granted, STOP, now() - timedelta(hours=1))
    (record,) = caplog.records
    # What the database says, without the row.
    assert STOP.who not in record.getMessage()
    assert "INSERT" not in record.getMessage()
    assert "register" in record.getMessage()
    assert not await permissions.may_leave(granted)
    assert await permissions.may_leave(other)
    ended = await permissions.get(granted)
    assert (ended.state, ended.is_registered) == (State.WITHDRAWN, False)
    # The same can be tried again, and nothing else.
    assert [state for state in State if ended.may_become(state)] == [State.WITHDRAWN]
    assert await permissions.withdraw(granted, STOP, now())
    ended = await permissions.get(granted)
    assert ended.is_registered
    assert not any(ended.may_become(state) for state in State)


async def test_a_withdrawal_without_an_entry_says_that_none_was_written(
    file: Store, caplog: pytest.LogCaptureFixture
) -> None:
    async with file.writing() as connection:
        permissions = Permissions(connection)
        coop = (await add_peer(connection, "coop@example.org", "Coop", now())).id
        granted = await grant(permissions, coop)
        await connection.exec_driver_sql(
            "CREATE TRIGGER lost BEFORE INSERT ON notice BEGIN SELECT RAISE(IGNORE); END"
        )
        with caplog.at_level(logging.WARNING):
            assert not await permissions.withdraw(granted, STOP, now())
        (record,) = caplog.records
        assert "No row was found" in record.getMessage()
        assert [entry.state for entry in await permissions.entries(granted)] == [
            State.PROPOSED,
            State.GRANTED,
        ]


async def test_an_enrolled_home_reads_its_series_for_the_sum_alone(
    connection: AsyncConnection, permissions: Permissions, coop: PeerId
) -> None:
    granted = await grant(permissions, coop, PROTECTED, CHOICE_OF_PROTECTED)
    await add_enrolment(connection, granted)
    await update_enrolment(connection, granted, enrolled_at=now(), receipt="mac")
    (permit,) = await permissions.permitted(coop)
    assert permit.reading is Reading.SUM


async def test_what_a_peer_may_read_is_in_the_order_of_series(
    permissions: Permissions, coop: PeerId
) -> None:
    choice = Choice(series=frozenset({HOURLY, INJECTED, DAILY}))
    for number in range(6):
        await grant(permissions, coop, replace(NEED, id=f"need-{number}"), choice)
    permitted = [(each.series_id, each.permission) for each in await permissions.permitted(coop)]
    assert len(permitted) == 18
    assert permitted == sorted(permitted)
