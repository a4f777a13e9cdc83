"""The members of the measures of a collective: homes that tell what they draw, by the hour."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from consometers_node.collective import given, needs
from consometers_node.collective.members import Members
from consometers_node.permission import DataNeed, Wanted
from consometers_node.quoalise import (
    Data,
    Direction,
    Duration,
    Identification,
    Identifier,
    Number,
    Permission,
    Records,
    describe,
)
from consometers_node.quoalise.identifier import organisation, series
from consometers_node.series import Direction as Way, Interval, Quantity
from consometers_node.store import Store

from .members import jid

ZONE = ZoneInfo("Europe/Paris")
COLLECTIVE = "bench"
HOURS = 24
MOST_W = 6_000

_AREAS = ("Gâvres", "Kersabiec", "Locmiquélic", "Port-Louis", "Riantec")
_OWN = organisation(COLLECTIVE)
_YEAR_DAYS = 365


def day_of(number: int, midnights: Sequence[datetime], random: Random) -> Data:
    """Give what a home tells of the days that begin then, UTC."""
    values: dict[Number, Number] = {}
    for midnight in midnights:
        begin = int(midnight.timestamp())
        values |= {begin + hour * 3600: random.randrange(MOST_W) for hour in range(HOURS)}
    name = _name(number)
    return Data(describe(name, Duration(seconds=3600)), (Records(str(name), "W", values),))


async def join(store: Store, homes: int, history_days: int) -> None:
    """Let homes have granted what they draw, and so much of its past."""
    now = datetime.now(UTC).replace(microsecond=0)
    need = DataNeed(
        id="bench",
        version=1,
        title={"en": "Bench"},
        purpose={"en": "To see how fast they come."},
        recipients={},
        controller="Bench",
        contact="bench@one.test",
        policy="https://one.test/policy",
        wanted=frozenset({Wanted(Way.CONSUMPTION, Quantity.POWER)}),
        interval=Interval.PT1H,
        history_days=history_days,
        duration_days=_YEAR_DAYS,
        retention_days=90,
    )
    async with store.writing() as connection:
        await needs.offer(connection, need, now)
        register = Members(connection, ZONE)
        for number in range(homes):
            area = _AREAS[number % len(_AREAS)]
            member = await register.admit(jid(number), now, area=area)
            said = _permission(number, need, now)
            await given.take(register, member.id, said, now, own=_OWN)


def _name(number: int) -> Identifier:
    return series(organisation(f"m{number}"), Direction.CONSUMPTION)


def _permission(number: int, need: DataNeed, now: datetime) -> Permission:
    return Permission(
        id=f"p{number}",
        need=need.id,
        version=need.version,
        series=(_name(number),),
        interval=Duration(seconds=3600),
        records_from=now - timedelta(days=need.history_days),
        valid_from=now,
        valid_until=now + timedelta(days=need.duration_days),
        shown_sha256=64 * "0",
        shown_language="en",
        identification=Identification.PSEUDONYM,
    )
