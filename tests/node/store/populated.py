"""A database with a row in every table."""

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import insert

from consometers_node.permission import DataNeedSeries, Permissions
from consometers_node.series import Block, Direction, Interval, Quantity, Range
from consometers_node.store import SeriesId, Store
from consometers_node.store.access_requests import AccessRequest, log_request
from consometers_node.store.answers import Answer, log_answer
from consometers_node.store.collective_tables import MemberRow
from consometers_node.store.coverage import add_absence, set_coverage
from consometers_node.store.enrolments import add_enrolment, keep_enrolment, keep_summary
from consometers_node.store.outbox import sending
from consometers_node.store.peers import subscribe
from consometers_node.store.plants import HeldPlant, put_held_plant
from consometers_node.store.pulled import Pulled, add_pulled, update_pulled
from consometers_node.store.series import put_blocks
from consometers_node.store.settings import HOUSEHOLD_SECRET, set_secret, set_setting

from ..permission.conftest import make_world
from ..permission.samples import (
    CHOICE_OF_PROTECTED,
    HOURLY,
    PRODUCED,
    PROTECTED,
    grant,
    now,
    queue,
    unsent,
)

MEMBERS = SeriesId(90)
"""The series of a member."""


async def populate(store: Store) -> None:
    """Leave a row in every table."""
    world = await make_world(store)
    past = Range(now() - timedelta(hours=2), now() - timedelta(hours=1))
    async with store.writing() as connection:
        day = date(2026, 10, 25)
        block = Block(HOURLY, day, (*range(11), None, *range(300, 312)))
        await put_blocks(connection, {world.hourly: [block]}, now())
        await set_coverage(connection, world.hourly, Range.of_day(day))
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
        (notice, *_) = await Permissions(connection).notices(world.coop)
        await Permissions(connection).keep_receipt(notice.seq, "receipt", now())
        sums = replace(CHOICE_OF_PROTECTED, series=frozenset({PRODUCED}))
        production = frozenset({DataNeedSeries(Direction.PRODUCTION, Quantity.ENERGY)})
        need = replace(PROTECTED, series=production)
        enrolled = await grant(Permissions(connection), world.other, need, sums)
        await add_enrolment(connection, enrolled)
        await keep_enrolment(connection, enrolled, now(), "mac")
        await keep_summary(connection, enrolled, now(), "{}")
        await set_setting(connection, "jid", "home@example.org")
        await set_secret(connection, HOUSEHOLD_SECRET, bytes(range(32)))
        rows = collective(world.hourly)
        for table, row in (*rows.items(), *masked(rows)):
            await connection.execute(insert(MemberRow.metadata.tables[table]).values(row))


def masked(rows: dict[str, dict[str, object]]) -> list[tuple[str, dict[str, object]]]:
    """Return the rows of a permission for sums, and of what came by it."""
    permission_id, at = "1c0b5a3e-6f0d-4c19-9d3a-7f6a0e0b2c12", now() + timedelta(hours=1)
    hour = {"direction": Direction.CONSUMPTION, "start": at}
    return [
        (
            "member_permission",
            rows["member_permission"] | {"id": permission_id, "reading": "sum"},
        ),
        (
            "member_permission_series",
            {
                "permission_id": permission_id,
                "identifier": "urn:dev:org:60060-k7f3q3_consumption/power/active/raw",
                "masked_direction": Direction.CONSUMPTION,
            },
        ),
        (
            "masked_report",
            hour
            | {
                "permission_id": permission_id,
                "day": date(2026, 10, 25),
                "nonce": bytes(16),
                "masked": bytes(8),
                "masked_square": bytes(16),
            },
        ),
        (
            "opening",
            hour
            | {
                "witness": "witness@example.org",
                "groups": "{}",
                "request": bytes(34),
                "asked_at": at,
            },
        ),
    ]


def collective(series_id: SeriesId) -> dict[str, dict[str, object]]:
    """Return a row for every table that a collective alone fills."""
    at, month, permission_id = now(), date(2026, 10, 1), "1c0b5a3e-6f0d-4c19-9d3a-7f6a0e0b2c11"
    member = {"member_id": 1}
    cell = {
        "direction": Direction.CONSUMPTION,
        "interval_minutes": Interval.PT1H,
        "start": at,
    }
    return {
        "own_need": {"need": "sums", "version": 1, "body": "<data-need/>", "offered_at": at},
        "invitation": {
            "id": "spring",
            "token_hash": 64 * "a",
            "note": "The market in spring",
            "kind": "home",
            "area": "Lorient",
            "created_at": at,
            "expires_at": at,
            "uses": 1,
        },
        "member": {
            "pseudonym": "k7f3q2",
            "jid": "member@example.org",
            "kind": "home",
            "area": "Lorient",
            "invitation_id": "spring",
            "joined_at": at,
        },
        "plant_share": {"plant_id": 1, "member_id": 1, "shares": 3},
        "invitation_share": {"invitation_id": "spring", "plant_id": 1, "shares": 3},
        "member_group": {"kind": "all", "name": ""},
        "challenge": {
            "name_fr": "Le défi",
            "name_en": "The challenge",
            "first_day": month,
            "last_day": date(2026, 10, 28),
            "objective_percent": 10,
        },
        "challenge_participant": {"challenge_id": 1, "group_id": 1},
        "group_membership": member | {"group_id": 1, "from_month": month},
        "member_permission": member
        | {
            "id": permission_id,
            "need": "sums",
            "version": 1,
            "state": "granted",
            "interval_minutes": Interval.PT1H,
            "identification": "pseudonym",
            "records_from": at,
            "valid_from": at,
            "valid_until": at + timedelta(days=365),
            "shown_sha256": 64 * "b",
            "shown_language": "fr",
        },
        "series": member
        | {
            "id": MEMBERS,
            "device": "urn:dev:org:60060-k7f3q2",
            "direction": Direction.CONSUMPTION,
            "quantity": Quantity.POWER,
            "interval_minutes": Interval.PT1H,
            "time_zone": "Europe/Paris",
        },
        "member_permission_series": {
            "permission_id": permission_id,
            "identifier": "urn:dev:org:60060-k7f3q2_consumption/power/active/raw",
            "series_id": MEMBERS,
        },
        "device_claim": member
        | {"device": "urn:dev:org:60060-k7f3q2", "claimed_at": at, "counts": 1},
        "set_aside": {"series_id": MEMBERS, "start": at, "value": 99_000, "received_at": at},
        "member_permission_register": {
            "permission_id": permission_id,
            "state": "granted",
            "at": at,
            "actor": "member",
            "text_hash": 64 * "b",
        },
        "access_log": member | {"at": at, "who": "peer", "what": "export", "records": 24},
        "member_count": {"series_id": series_id, "day": date(2026, 10, 25), "packed": b"\1\2"},
        "published_cell": cell
        | {
            "group_id": 1,
            "day": date(2026, 10, 25),
            "watt_minutes": 720_000,
            "members": 12,
            "homes": 11,
            "counting": 12,
            "per_member": 60_000,
            "minutes": 60,
        },
        "closed_interval": cell | {"closed_at": at, "expected": 12, "response": 11},
        "group_part": {"group_id": 1, "part_id": 1},
        "witness_enrolment": {
            "collective": "coop@example.org",
            "pseudonym": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
            "need": "sums",
            "version": 1,
            "need_sha256": 64 * "d",
            "minimum": 10,
            "directions": "consumption injection",
            "first_day": date(2026, 10, 25),
            "key_day": date(2026, 10, 25),
            "key": bytes(range(32)),
            "authentication": bytes(range(32, 64)),
            "enrolled_at": at,
        },
        "witness_opening": {
            "collective": "coop@example.org",
            "request": "0b0f1c6e-96d5-4f0e-8f6a-0d4a1c2b3e4f",
            "request_sha256": 64 * "e",
            "answer": "<opened/>",
            "at": at,
        },
        "witness_ledger": {
            "opening_id": 1,
            "number": 1,
            "collective": "coop@example.org",
            "direction": Direction.CONSUMPTION,
            "hour": at,
            "homes": 12,
            "enrolments": b"\2",
        },
        "administrator": {"name": "Accueil", "password_hash": "$argon2id$", "created_at": at},
        "admin_session": {
            "token_hash": 64 * "c",
            "administrator": "Accueil",
            "created_at": at,
            "seen_at": at,
            "expires_at": at,
        },
    }
