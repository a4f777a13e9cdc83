"""A database with a row in every table."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from itertools import chain
from typing import Any

from sqlalchemy import LargeBinary, Table, Text, insert
from sqlalchemy.types import TypeEngine

from consometers_node.permission import DataNeedSeries, Permissions
from consometers_node.series import Block, Direction, Interval, Quantity, Range
from consometers_node.store import SeriesId, Store
from consometers_node.store.answers import AccessRequest, Answer, log_answer, log_request
from consometers_node.store.collective.tables import MemberRow
from consometers_node.store.engine.types import Day, Instant, Minutes, Stored, Whole
from consometers_node.store.household.coverage import add_absence, set_coverage
from consometers_node.store.household.enrolments import add_enrolment, update_enrolment
from consometers_node.store.household.files import FileMonth, add_file
from consometers_node.store.household.letters import ReceivedLetter, add as add_letter
from consometers_node.store.household.plants import HeldPlant, put_held_plant
from consometers_node.store.household.pulled import Pulled, add_pulled, update_pulled
from consometers_node.store.household.statistic_owners import own_statistic
from consometers_node.store.outbox import sending
from consometers_node.store.peers import subscribe
from consometers_node.store.series import put_blocks
from consometers_node.store.settings import HOUSEHOLD_SECRET, set_secret, set_setting
from testing.homes.data_needs import (
    CHOICE_OF_PROTECTED,
    HOURLY,
    PRODUCED,
    PROTECTED,
    grant,
    now,
    queue,
    unsent,
)
from testing.homes.permissions import make_world

MEMBERS = SeriesId(90)
"""The series of a member."""
DAY = date(2026, 10, 25)
WORDS = 64 * "a"
"""As long as a hash in hexadecimal."""


async def populate(store: Store) -> None:
    """Leave a row in every table."""
    world = await make_world(store)
    past = Range(now() - timedelta(hours=2), now() - timedelta(hours=1))
    async with store.writing() as connection:
        block = Block(HOURLY, DAY, (*range(11), None, *range(300, 312)))
        await put_blocks(connection, {world.hourly: [block]}, now())
        await set_coverage(connection, world.hourly, Range.of_day(DAY))
        await add_absence(connection, past)
        pulled = Pulled(
            statistic="consometers:grid",
            jid="town@example.org",
            identifier="urn:dev:prm:30001610071843_consumption",
            name="The town hall",
            added_at=now(),
        )
        await add_pulled(connection, pulled)
        await update_pulled(connection, pulled.statistic, until=past.end)
        await update_pulled(connection, pulled.statistic, problem="It cannot be reached.")
        plant = HeldPlant(
            statistic="consometers:part_ecole",
            jid="town@example.org",
            identifier="urn:dev:org:60060-town-ecole_production/power/active/raw",
            name="École",
            shares=3,
            total=100,
            corrected=4,
            since=past.start,
        )
        await own_statistic(connection, plant.jid, plant.identifier, plant.statistic)
        await put_held_plant(connection, plant)
        await subscribe(connection, world.coop, world.hourly, now())
        for _ in range(2):
            await queue(connection, world.coop, world.granted, world.hourly, past)
        (first, _) = await unsent(connection, world.coop, 2)
        await sending(connection, [first], "stanza", now())
        answer = Answer(
            peer=world.coop,
            permission=world.granted,
            series_id=world.hourly,
            command="get_history",
            records=past,
            count=1,
            at=now(),
        )
        await log_answer(connection, answer)
        received = AccessRequest(
            at=now(),
            peer_id=world.coop,
            who="somebody",
            made_at=now(),
            size=4,
            sha256=64 * "a",
        )
        await log_request(connection, received)
        letter = ReceivedLetter(
            peer_id=world.coop,
            id=str(world.granted),
            written_at=past.start,
            received_at=now(),
            body={"fr": "Bonjour,\nà demain.", "en": "Hello."},
        )
        await add_letter(connection, letter)
        month = FileMonth(
            direction=Direction.CONSUMPTION,
            kind="curve",
            month=past.start.date().replace(day=1),
            begins=past.start,
            ends=past.end,
            count=1,
            missing=0,
            readings="[]",
        )
        await add_file(connection, [month], now())
        (notice, *_) = await Permissions(connection).notices(world.coop)
        await Permissions(connection).keep_receipt(notice.seq, "receipt", now())
        sums = replace(CHOICE_OF_PROTECTED, series=frozenset({PRODUCED}))
        production = frozenset({DataNeedSeries(Direction.PRODUCTION, Quantity.ENERGY)})
        need = replace(PROTECTED, series=production)
        enrolled = await grant(Permissions(connection), world.other, need, sums)
        await add_enrolment(connection, enrolled)
        await update_enrolment(connection, enrolled, enrolled_at=now(), receipt="mac")
        await update_enrolment(connection, enrolled, asked_at=now(), summary="{}")
        await set_setting(connection, "jid", "home@example.org")
        await set_secret(connection, HOUSEHOLD_SECRET, bytes(range(32)))
        for name, facts in chain(collective(world.hourly), host()):
            table = MemberRow.metadata.tables[name]
            await connection.execute(insert(table).values({**required(table), **facts}))


def required(table: Table) -> dict[str, object]:
    """Return a value for each column that needs one: the same for all of its type."""
    values: dict[TypeEngine[Any], object] = {
        Instant: now(),
        Day: DAY,
        Minutes: Interval.PT1H,
        Whole: 1,
    }
    others: dict[type, object] = {Text: WORDS, LargeBinary: bytes(32), Stored: "consumption"}
    return {
        column.name: values.get(column.type, others.get(type(column.type)))
        for column in table.columns
        if not column.nullable and column.server_default is None and column.name != "id"
    }


def collective(series_id: SeriesId) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield a row for every table that a collective alone fills, of two permissions."""
    until = now() + timedelta(days=365)
    individual, masked = {"permission_id": "individual"}, {"permission_id": "masked"}
    hour: dict[str, object] = {"start": now() + timedelta(hours=1)}
    yield "own_need", {}
    yield "invitation", {"id": WORDS, "kind": "home"}
    yield "member", {"kind": "home", "jid": "member@example.org", "invitation_id": WORDS}
    yield "plant_share", {}
    yield "invitation_share", {}
    yield "member_group", {"kind": "all"}
    yield "challenge", {"last_day": DAY + timedelta(days=3)}
    yield "challenge_participant", {}
    yield "group_membership", {}
    answer: dict[str, object] = {"identification": "pseudonym", "valid_until": until}
    granted = answer | {"state": "granted"}
    yield "member_permission", granted | {"id": "individual"}
    facts = {"quantity": Quantity.POWER, "time_zone": "Europe/Paris"}
    yield "series", facts | {"id": MEMBERS, "member_id": 1}
    yield "member_permission_series", individual | {"series_id": MEMBERS}
    yield "device_claim", {}
    yield "set_aside", {"series_id": MEMBERS}
    entry: dict[str, object] = {"state": "granted", "actor": "member", "text_hash": WORDS}
    yield "member_permission_register", individual | entry
    yield "member_letter", {"id": WORDS, "member_id": 1, "body": {"fr": "Bonjour."}}
    yield "access_log", {"member_id": 1}
    yield "member_count", {"series_id": series_id}
    over: dict[str, object] = {"start": now() - timedelta(hours=2), "protected": 0}
    yield "published_cell", over
    yield "closed_interval", over
    yield "closed_month", {"start": now() - timedelta(days=40), "until": now() - timedelta(days=10)}
    yield "group_part", {}
    code = {"id": WORDS, "created_at": now(), "expires_at": until}
    yield "witness_code", code | {"code_hash": "ab" * 32, "collective": "coop@energies.example"}
    yield (
        "witness_enrolment",
        {
            "code_id": WORDS,
            "collective": "coop@energies.example",
            "minimum": 10,
        },
    )
    yield "witness_opening", {}
    yield "witness_head", {"chain": bytes(32)}
    yield "witness_ledger", {}
    yield "witness_verification", {}
    yield "administrator", {}
    yield "admin_session", {}
    yield "member_permission", granted | {"id": "masked", "reading": "sum"}
    yield "member_permission_series", masked | {"masked_direction": Direction.CONSUMPTION}
    sizes = {"nonce": bytes(16), "masked": bytes(656)}
    yield "masked_report", hour | masked | sizes
    yield "opening", hour


def host() -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield a row for every table that a host alone fills."""
    terms = sha256(WORDS.encode()).hexdigest()
    yield "shown_text", {"hash": terms, "language": "fr"}
    yield "space", {"terms_hash": terms, "terms_language": "fr"}
    yield "space_session", {"space": WORDS}
    yield "space_invitation", {"id": WORDS}
    yield "former_space", {}
