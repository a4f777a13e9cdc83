"""A collective grants its own sums, and how many members each has: both or nothing."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import pytest

from consometers_node.i18n.protocol import sentence
from consometers_node.permission import (
    Choice,
    DataNeed,
    DataNeedSeries,
    Identification,
    Permissions,
)
from consometers_node.series import (
    Device,
    Direction,
    Interval,
    Quantity,
)
from consometers_node.sharing import consent_text
from consometers_node.sharing.answers import Answers
from consometers_node.sharing.error_messages import message_of
from consometers_node.sharing.names import OtherCollective, keep_collective, load_naming
from consometers_node.sharing.permissions.consent import (
    check,
    data_request,
    matching_series,
    preview,
)
from consometers_node.sharing.restriction import pause
from consometers_node.store import PeerId, Store
from consometers_node.store.peers import Peer
from consometers_node.store.series import add_series
from consometers_node.wire import Naming, Unsayable
from consometers_quoalise import (
    BadRequest,
    Data,
    GetHistory,
    Identifier,
    ItemNotFound,
    NotAuthorized,
    ResourceConstraint,
    Role,
)
from consometers_quoalise_network import Asker
from testing.collectives.published import Sum, publish
from testing.homes.answering import AnsweringHome
from testing.homes.data_needs import CHOICE, HOURLY, NEED, now
from testing.homes.ledgers import HOUR, Ledger, data_of, midnight
from testing.homes.running import StoringCollective, bare, decisions_confirmed, running
from testing.networks import Memory
from testing.run import DEADLINE_S
from testing.sentences import says
from testing.waiting import until
from testing.xmpp.fixtures import MakeNode, NewAccount

TOWN = Asker("town@example.org", "town@example.org/quoalise", "en")
NAMING = Naming(bytes(32), collective="coop")
SUM = replace(HOURLY, device=Device("urn:dev:org:60060-coop"), quantity=Quantity.POWER)
OF_A_MEMBER = replace(SUM, device=Device("urn:dev:org:60060-75vdklhr6srpcaq5xexikc5apc"))
FINE = replace(SUM, interval=Interval.PT5M)
ASKED = replace(
    NEED, series=frozenset({DataNeedSeries(Direction.CONSUMPTION, Quantity.POWER)}), history_days=60
)
NAME = NAMING.name(SUM, TOWN.jid, Identification.PSEUDONYM)
A_MONTH = replace(CHOICE, history_days=40)


class Sums(Answers):
    role = Role.COLLECTIVE


@pytest.fixture
async def ledger(store: Store) -> Ledger:
    ledger = await Ledger.open(store, TOWN.jid, SUM)
    ledger.naming = NAMING
    await ledger.grant(ASKED, A_MONTH)
    return ledger


@pytest.fixture
def answers(store: Store) -> Answers:
    return AnsweringHome(store, Sums, NAMING).answers


async def sum_up(
    ledger: Ledger, start: datetime, values: Iterable[int], members: Iterable[int]
) -> None:
    """Publish the hours of a day: mean powers, and of how many members."""
    published = [
        Sum(start + hour * HOUR, value * 60, count)
        for hour, (value, count) in enumerate(zip(values, members, strict=True))
    ]
    async with ledger.store.writing() as connection:
        await publish(connection, {ledger.series: published}, now(), collective="coop")


def read(data: Data) -> dict[str, list[float]]:
    return {
        record.name: [float(value) for value in record.values.values()] for record in data.records
    }


async def test_sums_are_sent_with_their_member_counts(ledger: Ledger) -> None:
    await ledger.subscribe(midnight(-1))
    await sum_up(ledger, midnight(-1), range(100, 124), range(10, 34))
    assert read(data_of(await ledger.due())) == {
        str(NAME): list(range(100, 124)),
        str(NAME.members): list(range(10, 34)),
    }


async def test_a_late_sum_is_sent_however_old(ledger: Ledger) -> None:
    await ledger.subscribe(midnight())
    await sum_up(ledger, midnight(-20), [100] * 24, [10] * 24)
    await ledger.receive_all()
    assert len(ledger.sent) == 24


async def test_a_message_holds_a_third_as_many_sums_as_records(ledger: Ledger) -> None:
    await ledger.subscribe(midnight(-30))
    for days in range(-30, 0):
        await sum_up(ledger, midnight(days), [100] * 24, [10] * 24)
    lengths = []
    number = 0
    while (message := await ledger.next(f"m{number}")) is not None:
        lengths.append(len(message.data))
        await ledger.receive(message)
        number += 1
    assert lengths == [666, 666, 108]


async def test_sums_and_members_are_answered(ledger: Ledger, answers: Answers) -> None:
    await sum_up(ledger, midnight(-1), range(100, 124), range(10, 34))
    both, alone = [
        read(await answers.get_history(TOWN, GetHistory(name, midnight(-1), midnight())))
        for name in (NAME, NAME.members)
    ]
    assert alone == {str(NAME.members): list(range(10, 34))}
    assert both == alone | {str(NAME): list(range(100, 124))}
    listed = {entry.series: entry for entry in await answers.list_series(TOWN)}
    assert {name: entry.unit for name, entry in listed.items()} == {
        NAME: "W",
        NAME.members: "count",
    }
    assert listed[NAME.members].last == listed[NAME].last == midnight() - HOUR
    await answers.subscribe(TOWN, NAME.members)
    cursor = await ledger.cursor()
    # In the last hour of a day, its first record is older than a day.
    assert cursor is not None
    assert midnight() - HOUR < cursor <= midnight()
    await answers.unsubscribe(TOWN, NAME)


async def test_an_answer_holds_a_third_as_many_sums_as_records(
    store: Store, answers: Answers
) -> None:
    ledger = await Ledger.open(store, TOWN.jid, FINE)
    await ledger.grant(replace(ASKED, interval=Interval.PT5M), A_MONTH)
    five = HOUR / 12
    sums = [Sum(midnight(-9) + n * five, 5 * n, 10) for n in range(288 * 9)]
    async with store.writing() as connection:
        await publish(connection, {FINE: sums}, now(), collective="coop")
    with pytest.raises(BadRequest, check=says("More than 666")):
        await answers.get_history(TOWN, GetHistory(NAME, midnight(-9), midnight()))
    page = GetHistory(NAME, midnight(-9), midnight(-9) + 666 * five)
    # As many counts go beside them.
    assert len(await answers.get_history(TOWN, page)) == 2 * 666


async def test_a_member_s_series_looks_like_an_unknown_one(
    ledger: Ledger, answers: Answers
) -> None:
    async with ledger.store.writing() as connection:
        await add_series(connection, OF_A_MEMBER)
    of_a_member = Identifier(
        replace(NAME.device, body="60060-75vdklhr6srpcaq5xexikc5apc"), NAME.path
    )
    nobodys = Identifier(replace(NAME.device, body="60060-aaaaaaaaaaaaaaaaaaaaaaaaaa"), NAME.path)
    refusals = []
    for name in (of_a_member, of_a_member.members, nobodys):
        with pytest.raises(ItemNotFound) as refused:
            await answers.get_history(TOWN, GetHistory(name))
        refusals.append(str(sentence(refused.value)))
    assert len(set(refusals)) == 1
    daily = NAMING.name(
        replace(SUM, interval=Interval.P1D, quantity=Quantity.ENERGY), "", Identification.PSEUDONYM
    )
    for name in (daily, daily.members, NAME.members.members):
        with pytest.raises(NotAuthorized):
            await answers.get_history(TOWN, GetHistory(name))


async def test_a_collective_says_that_it_paused(ledger: Ledger, answers: Answers) -> None:
    async with ledger.store.writing() as connection:
        await pause(connection, ledger.peer.id)
    with pytest.raises(ResourceConstraint, check=says("The collective has paused")):
        await answers.get_history(TOWN, GetHistory(NAME.members))


async def test_a_collective_delivers_to_another_until_the_permission_ends(
    file: Store, server: Memory, other_server: Memory, new_account: NewAccount, new_node: MakeNode
) -> None:
    collective = StoringCollective()
    came: dict[str, list[float]] = {}

    async def take(_sender: str, data: Data) -> None:
        came.update(read(data))

    town = await new_node(other_server, collective, keep=take)
    node = running(
        file, server, new_account(server), bare(town), naming=NAMING, make_answers=Sums, series=SUM
    )
    async with node as coop:
        await coop.connection.online(DEADLINE_S)
        permission = await coop.grant(ASKED, A_MONTH)
        await decisions_confirmed(coop)
        (name,) = collective.permissions[permission].series
        assert name == NAME
        await sum_up(coop.ledger, midnight(-2), [100] * 24, [10] * 24)
        await town.asking.subscribe(coop.address, name)
        await sum_up(coop.ledger, midnight(-1), [200], [12])
        coop.changes.notify()
        expected: dict[str, list[float]] = {str(NAME): [200], str(NAME.members): [12]}
        await until(lambda: came == expected)
        history = await town.asking.get_history(coop.address, name, midnight(-2), midnight(-1))
        assert read(history) == {str(NAME): [100] * 24, str(NAME.members): [10] * 24}
        await town.asking.terminate(coop.address, permission)
        with pytest.raises(NotAuthorized):
            await town.asking.get_history(coop.address, name, midnight(-2), midnight(-1))


# Consent


async def test_sums_alone_are_offered_shown_and_granted(store: Store) -> None:
    ledger = await Ledger.open(store, TOWN.jid, SUM)
    await sum_up(ledger, midnight(-1), range(100, 124), range(10, 34))
    daily = replace(SUM, interval=Interval.P1D, quantity=Quantity.ENERGY)
    async with store.writing() as connection:
        for series in (OF_A_MEMBER, FINE, daily, replace(SUM, direction=Direction.INJECTION)):
            await add_series(connection, series)
        number = await Permissions(connection).propose(ledger.peer.id, ASKED, now())
    async with store.reading() as connection:
        assert await matching_series(connection, NAMING, ASKED) == [SUM]
        question = await data_request(connection, number)
        choice = Choice(series=frozenset({SUM}))
        await check(connection, NAMING, question, choice)
        (seen,) = await preview(connection, NAMING, question, choice, days=3)
        assert (seen.series, seen.name) == (SUM, NAME)
        assert read(seen.data) == {
            str(NAME): list(range(100, 124)),
            str(NAME.members): list(range(10, 34)),
        }
        with pytest.raises(Unsayable, match="stay here"):
            await check(connection, NAMING, question, Choice(series=frozenset({OF_A_MEMBER})))


async def test_the_preview_of_an_empty_series_is_empty(store: Store) -> None:
    ledger = await Ledger.open(store, TOWN.jid, HOURLY)
    async with store.writing() as connection:
        number = await Permissions(connection).propose(ledger.peer.id, ASKED, now())
        question = await data_request(connection, number)
        (seen,) = await preview(
            connection, NAMING, question, Choice(series=frozenset({SUM})), days=3
        )
    assert len(seen.data) == 0


@pytest.mark.parametrize(
    ("language", "words", "never"),
    [
        ("en", ("the number of members", "leaves your collective", "the name of your"), "home"),
        ("fr", ("le nombre de membres", "quitte votre collectif", "le nom de votre"), "foyer"),
    ],
)
def test_consent_texts_of_a_collective_mention_no_home(
    language: str, words: tuple[str, ...], never: str
) -> None:
    need: DataNeed = replace(ASKED, purpose={"en": "To know.", "fr": "Pour savoir."})
    choice = Choice(series=frozenset({SUM}))
    town = Peer(id=PeerId(1), jid=TOWN.jid, name="Town")
    shown = consent_text.grant(need, town, choice, now(), language, role=Role.COLLECTIVE)
    for part in words:
        assert part in shown.body
    for each in (
        shown,
        consent_text.refusal(need, language, role=Role.COLLECTIVE),
        consent_text.withdrawal(need, language, erase=True, role=Role.COLLECTIVE),
    ):
        assert never not in each.body


async def test_a_collective_keeps_its_name(store: Store) -> None:
    assert (await load_naming(store)).collective is None
    await keep_collective(store, "coop")
    assert (await load_naming(store)).collective == "coop"
    await keep_collective(store, "coop")
    with pytest.raises(OtherCollective) as refused:
        await keep_collective(store, "another")
    message = message_of(refused.value)
    assert message is not None
    for language in ("en", "fr"):
        assert 'identifier = "coop"' in message.say(language)
    assert (await load_naming(store)).collective == "coop"
