"""The collective's own data needs, each version as members read it.

A version never changes once it was offered. A change is a new version, for which members are asked
again: permissions for the version before go on under the terms of that one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
import logging
import re
from secrets import token_bytes
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, Row, insert, select, update

from consometers_node.collective.disclosure.sdc_rules import LEAST_MINIMUM, Publication
from consometers_node.collective.errors import CollectiveFault, NotFound
from consometers_node.i18n.protocol import sentence
from consometers_node.i18n.text import Text, text
from consometers_node.permission import ChangedNeed, DataNeed, DataNeedSeries
from consometers_node.permission.need import MAX_DAYS
from consometers_node.series import Direction, Interval, Quantity
from consometers_node.store.collective.tables import OwnNeedRow
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.settings import VERIFICATION_SECRET, secret_or_new
from consometers_node.wire import Unsayable, read_need, write_need
from consometers_protected_sums.exchange import VERIFICATION_KEY_BYTES
from consometers_quoalise import Malformed
from consometers_quoalise.elements.markup import parse, serialise
from consometers_quoalise.federation import permissions_xml
from consometers_quoalise.problems import Problem

_UNREADABLE = text(
    "“{need}”, version {version}, cannot be read: what members granted of it goes on."
    " “consometers-node status” shows why."
)
_LOGGER = logging.getLogger(__name__)
_RETENTION = re.compile(r'\sretention="P(\d{1,5})D"')
_LOST = text("This version of the data request can no longer be read.")
_ITS_OWN_WITNESS = text(
    "The witness must be independent: {witness} is of the same domain as this collective. Choose"
    " another organisation."
)
_FEWER_HOMES = text(
    "The witness promises sums of {promised} homes: this collective publishes none of fewer than"
    " {minimum}. Promise {minimum} or more."
)
_NEVER_OPENED = text(
    "By the law no sum of this is published for an hour, whatever the number of homes: choose"
    " published sums that members agree to, or other data."
)
_NO_HOURS = text(
    "Protected sums are of hours, and this collective publishes finer figures: publish hours first."
)
_TWO_SUMS = text(
    "“{need}” asks for a protected sum of the same data already, and a home can be in one of them"
    " alone: stop it first, or ask for other data."
)
_NO_SUCH_NEED = text("There is no data request named “{need}”: “needs list” lists them.")


type Version = tuple[str, int]
"""A data need: its id, and its version."""


class BadWitness(CollectiveFault):
    """A protected sum cannot be asked for with this witness; `field` is what stands in the way."""

    condition = "bad-witness"

    def __init__(self, field: str, words: Text) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True, slots=True)
class OwnNeed:
    """One version of a data need. Once it is closed no member can answer it.

    If this program cannot read it, `problem` says why, and `need` holds the terms under which
    permissions go on: as they are read from it, or nothing is kept longer than anybody knows of.
    """

    need: DataNeed
    offered_at: datetime
    closed_at: datetime | None
    problem: Text | None = None


def as_members_read(need: DataNeed) -> DataNeed:
    """Return a data need as members read it. Raises Malformed, Unsayable."""
    return _read(_body(need))


async def offer(connection: AsyncConnection, need: DataNeed, at: datetime) -> bool:
    """Offer this to members from now on, in place of an older version.

    Return whether it is new; an offered version never changes. Raises ChangedNeed, and what
    `as_members_read` raises.
    """
    body = _body(need)
    read = _read(body)
    stored = await _versions(connection, need.id)
    if need.version in stored:
        version = stored[need.version]
        if version.problem is not None or version.need != read:
            raise ChangedNeed(need.id, need.version)
        return False
    if need.version < max(stored, default=0):
        raise ChangedNeed(need.id, need.version)
    await _close(connection, need.id, at)
    await connection.execute(
        insert(OwnNeedRow).values(need=need.id, version=need.version, body=body, offered_at=at)
    )
    if read.witness is not None:
        name = VERIFICATION_SECRET.format(witness=read.witness.jid)
        await secret_or_new(connection, name, partial(token_bytes, VERIFICATION_KEY_BYTES))
    return True


async def check_witness(
    connection: AsyncConnection, need: DataNeed, account: str, publication: Publication
) -> None:
    """Raise BadWitness where a protected sum could not be opened, or would protect nothing.

    `account` is the collective's own, bare JID.
    """
    witness = need.witness
    if witness is None:
        return
    own = account.rpartition("@")[2].lower()
    hosts = witness.jid.rpartition("@")[2].lower(), (urlsplit(witness.url).hostname or "").lower()
    if any(_is_same_domain(host, own) for host in hosts):
        raise BadWitness("jid", _ITS_OWN_WITNESS.fill(witness=witness.name))
    if publication.interval is not Interval.PT1H:
        raise BadWitness("interval", _NO_HOURS)
    for direction in need.directions:
        minimum = publication.needed(direction, Interval.PT1H)
        if minimum is None:
            raise BadWitness("minimum", _NEVER_OPENED)
        if witness.minimum < max(minimum, LEAST_MINIMUM):
            words = _FEWER_HOMES.fill(promised=witness.minimum, minimum=max(minimum, LEAST_MINIMUM))
            raise BadWitness("minimum", words)
    for other in await offered(connection):
        if other.id == need.id or other.witness is None:
            continue
        if not set(need.directions).isdisjoint(other.directions):
            raise BadWitness("series", _TWO_SUMS.fill(need=other.id))


def _is_same_domain(host: str, own: str) -> bool:
    """Return whether one of two hosts is under the other."""
    return host == own or host.endswith(f".{own}") or own.endswith(f".{host}")


async def numbered(connection: AsyncConnection, need: DataNeed) -> DataNeed:
    """Return a data need with the newest version's number if nothing changed, else the next one."""
    stored = await _versions(connection, need.id)
    last = max(stored, default=0)
    newest = stored.get(last)
    if newest and newest.problem is None and newest.need == replace(need, version=last):
        return newest.need
    return replace(need, version=last + 1)


async def close(connection: AsyncConnection, need: str, at: datetime) -> None:
    """Close a data need. Permissions already granted run until they end. Raises NotFound."""
    if not await _close(connection, need, at):
        raise NotFound(_NO_SUCH_NEED.fill(need=need))


async def reopen(connection: AsyncConnection, need: str) -> None:
    """Offer the newest version of a data need again. Raises NotFound."""
    stored = await versions(connection, need)
    if not stored:
        raise NotFound(_NO_SUCH_NEED.fill(need=need))
    newest = OwnNeedRow.need == need, OwnNeedRow.version == stored[-1].need.version
    await connection.execute(update(OwnNeedRow).where(*newest).values(closed_at=None))


async def offered(connection: AsyncConnection) -> list[DataNeed]:
    """Return the open data needs: one version of each."""
    return [version.need for version in await all_needs(connection) if version.closed_at is None]


async def versions(connection: AsyncConnection, need: str) -> list[OwnNeed]:
    """Return every version of one data need, the oldest first."""
    return [version for version in await all_needs(connection) if version.need.id == need]


async def all_needs(connection: AsyncConnection) -> list[OwnNeed]:
    """Return every version of every data need: they are few, and stay.

    `unreadable` returns those that are left out because they cannot be read.
    """
    return [version for version in await _all(connection) if version.problem is None]


async def unreadable(connection: AsyncConnection) -> list[OwnNeed]:
    """Return the versions that `all_needs` leaves out."""
    return [version for version in await _all(connection) if version.problem is not None]


async def granted(
    connection: AsyncConnection, versions: Collection[Version]
) -> Mapping[Version, DataNeed]:
    """Return versions that members granted: of one that cannot be read, what is left."""
    needs = {}
    for version in await _all(connection):
        key = version.need.id, version.need.version
        if version.problem is not None and key in versions:
            warn_unreadable(*key)
        needs[key] = version.need
    return needs


@cache
def warn_unreadable(need: str, version: int) -> None:
    """Log it once, however often it is read."""
    _LOGGER.warning(_UNREADABLE.fill(need=need, version=version))


async def _all(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> list[OwnNeed]:
    query = select(OwnNeedRow.__table__).where(*conditions)
    rows = await connection.execute(query.order_by(OwnNeedRow.need, OwnNeedRow.version))
    return [_own_need(row) for row in rows]


async def _versions(connection: AsyncConnection, need: str) -> dict[int, OwnNeed]:
    return {own.need.version: own for own in await _all(connection, OwnNeedRow.need == need)}


def _own_need(row: Row[Any]) -> OwnNeed:
    try:
        return OwnNeed(_read(row.body), row.offered_at, row.closed_at)
    except (Malformed, Unsayable) as fault:
        lost = {tag: _LOST.say(tag) for tag in _LOST.by_language}
        days = _RETENTION.search(row.body)
        need = DataNeed(
            id=row.need,
            version=row.version,
            title={"": row.need},
            purpose=lost,
            recipients=lost,
            controller="?",
            contact="?",
            policy="?",
            series=frozenset(DataNeedSeries(way, Quantity.ENERGY) for way in Direction),
            interval=Interval.P1D,
            history_days=0,
            duration_days=1,
            retention_days=0 if days is None else min(int(days[1]), MAX_DAYS),
        )
        return OwnNeed(need, row.offered_at, row.closed_at, sentence(fault))


async def _close(connection: AsyncConnection, need: str, at: datetime) -> bool:
    closing = update(OwnNeedRow).where(OwnNeedRow.need == need, OwnNeedRow.closed_at.is_(None))
    return bool((await connection.execute(closing.values(closed_at=at))).rowcount)


def _body(need: DataNeed) -> str:
    return serialise(permissions_xml.write_data_needs([write_need(need)])).decode()


def _read(body: str) -> DataNeed:
    needs = permissions_xml.read_data_needs(parse(body.encode()))
    if len(needs) != 1:
        problem = Problem.TWO_ELEMENTS if needs else Problem.NO_ELEMENT
        raise Malformed("data-needs", problem, wanted="data-need")
    return read_need(needs[0])
