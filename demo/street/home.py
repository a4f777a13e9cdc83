"""One home of the street: it stores its meter's records, and shares them as a node does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
import shutil
from typing import Any, Final, override

from consometers_node.household.protected_sums.enrolling import Enrolling
from consometers_node.household.protected_sums.witness_address import Trust, trust
from consometers_node.household.protected_sums.witness_check import objection
from consometers_node.household.protected_sums.witness_client import WitnessClient
from consometers_node.i18n.protocol import OurWords
from consometers_node.permission import Choice, Permissions, Signature, State
from consometers_node.series import (
    Block,
    Device,
    Direction,
    Interval,
    Quantity,
    Range,
    Record,
    Series,
)
from consometers_node.sharing import consent_text
from consometers_node.sharing.account import save
from consometers_node.sharing.answers import Answered, Answers, Confirms, Settled
from consometers_node.sharing.changes import Changes
from consometers_node.sharing.names import load_naming
from consometers_node.sharing.permissions.consent import data_request, grant, propose_needs
from consometers_node.sharing.records.due_records import keep
from consometers_node.sharing.records.masked_reports import keep_keys, load_keys
from consometers_node.sharing.service import Sharing
from consometers_node.sharing.status import collectives
from consometers_node.store import PermissionId, SeriesId, Store
from consometers_node.store.clock import Clock
from consometers_node.store.peers import all_peers
from consometers_node.store.series import add_series, extent, put_blocks
from consometers_node.wire import Naming
from consometers_node.wire.witness_requests import Call
from consometers_protected_sums.keys import KEY_BYTES, DayKey
from consometers_quoalise import Data, GetHistory, ResourceConstraint, Role, Witness
from consometers_quoalise_network import Account, Asker, Identity, Join, Security, Server, links
from consometers_quoalise_network.backoff import Backoff
from consometers_quoalise_xmpp import XmppTransport
from demo.world.hourly import Hour

from .plan import HOUR_S, Home, Place
from .source import Source

_TIME_ZONE: Final = "Europe/Paris"
_LANGUAGE: Final = "fr"
_WHO: Final = "street"
_DAY_HOURS: Final = 24
_WEEKS_DAYS: Final = 70
"""Of the past that a new collective asks for first, at most."""
_PATIENCE_S: Final = 300
_LOOKS_EVERY_S: Final = 0.5
_COUNTS_WITHIN_S: Final = 20
"""An answer takes no longer: who asks pauses, and asks again."""
_AGAIN_S: Final = 1.0
_BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)


class StreetHome:
    """A home with its database."""

    def __init__(self, home: Home, store: Store, naming: Naming, source: Source) -> None:
        self.home = home
        self.asked_s = 0.0
        """Of how many seconds of its past it was asked."""
        self._has_past = asyncio.Event()
        self._begin = 0
        self._store = store
        self._naming = naming
        self._source = source
        self._series_ids: dict[Series, SeriesId] = {}
        self._changes = Changes()
        self._end = 0

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, home: Home, folder: Path, empty: Path, source: Source
    ) -> AsyncIterator[StreetHome]:
        """Open its database, which begins as a copy of an empty one."""
        file = folder / f"{home.jid}.db"
        if not file.exists():
            shutil.copy(empty, file)
        store = await Store.open(file)
        try:
            yield cls(home, store, await load_naming(store), source)
        finally:
            await store.close()

    @property
    def series(self) -> int:
        """How many it has."""
        return len(self._series_ids)

    async def count(self, history_days: int) -> None:
        """Store the records since the last ones: at first, of the last weeks of some days."""
        now = datetime.now(UTC)
        kinds = [_series(direction) for direction in Direction]
        async with self._store.writing() as connection:
            for kind in kinds if self.home.kwp else kinds[:1]:
                self._series_ids[kind] = await add_series(connection, kind)
            kind, series_id = next(iter(self._series_ids.items()))
            stored = await extent(connection, series_id, kind, Range(_BEGINNING, now))
        if stored is not None:
            self._begin, self._end = _hour(stored.start), _hour(stored.end)
            await self.count_on()
            return
        self._begin = self._end = _hour(now)
        await self._count_back(min(history_days, _WEEKS_DAYS))

    async def count_past(self, history_days: int) -> None:
        """Store the records before the last weeks, of which others wait until they are there."""
        await self._count_back(history_days)
        self._has_past.set()

    async def until_counted(self, start: datetime) -> None:
        """Wait until all records from an instant on are there."""
        if _hour(start) < self._begin:
            await self._has_past.wait()

    async def _count_back(self, days: int) -> None:
        """Store the records of some days that are not there yet."""
        now = datetime.now(UTC)
        first = _hour(now - timedelta(days=days)) // _DAY_HOURS * _DAY_HOURS
        if first >= self._begin:
            return
        counted = await asyncio.to_thread(lambda: list(self._source.hours(first, self._begin)))
        async with self._store.writing() as connection:
            blocks = {
                series_id: _blocks(kind, counted) for kind, series_id in self._series_ids.items()
            }
            await put_blocks(connection, blocks, now)
        self._begin = first

    async def count_on(self) -> None:
        """Store the hours that have passed since."""
        now = datetime.now(UTC)
        if (end := _hour(now)) <= self._end:
            return
        # A block is stored whole, with the known hours of its day.
        first = self._end // _DAY_HOURS * _DAY_HOURS
        counted = await asyncio.to_thread(lambda: list(self._source.hours(first, end)))
        async with self._store.writing() as connection:
            new = [block for kind in self._series_ids for block in _blocks(kind, counted)]
            await keep(connection, self._series_ids, new, now)
        self._end = end
        self._changes.notify()

    @asynccontextmanager
    async def online(self, place: Place, password: str) -> AsyncIterator[Sharing]:
        server = Server(
            host=place.host,
            port=place.port,
            security=Security.STARTTLS,
            ca_file=Path(place.ca_file),
        )
        account = Account(self.home.jid, password)
        connection = XmppTransport(account, server=server, language=_LANGUAGE, speak=OurWords)
        answers = partial(_Answers, home=self)
        clock = Clock()
        sharing = Sharing(
            self._store, self._naming, connection, self._changes, answers, clock=clock
        )
        # Its witness is checked by the same authority as its server.
        await save(self._store, Identity(account, server))
        async with connection:
            running = {asyncio.create_task(sharing.run())}
            if self.home.masked:
                make_client = (
                    partial(_Forgetful, self._store) if self.home.forgets_its_key else WitnessClient
                )
                client = make_client(await trust(self._store))
                enrolling = Enrolling(
                    self._store, clock, self._changes, client, Backoff(_AGAIN_S, _PATIENCE_S)
                )
                running.add(asyncio.create_task(enrolling.run()))
            try:
                await connection.online(_PATIENCE_S)
                # The clock is confirmed: tasks that waited for that run at once.
                self._changes.notify()
                yield sharing
            finally:
                for task in running:
                    task.cancel()
                await asyncio.wait(running)

    async def ask(self, sharing: Sharing) -> None:
        """Read the data needs by the invitation, unless that was done before."""
        async with self._store.reading() as connection:
            peers = await all_peers(connection)
        link = links.read(self.home.invitation)
        assert isinstance(link, Join)
        if link.collective not in {peer.jid for peer in peers}:
            await propose_needs(self._store, sharing.asking, link)

    async def grant(self, history_days: int) -> None:
        """Grant the data needs, and wait until the peers have that.

        Raises TimeoutError after some minutes.
        """
        await self.decide(0 if self.home.masked else history_days)
        await self._until(self._is_notified)

    async def until_subscribed(self) -> None:
        """Wait until the peers of a masked home have its reports. Raises TimeoutError."""
        if self.home.masked:
            await self._until(self._has_reported)

    async def decide(self, history_days: int) -> None:
        """Grant the data needs: protected sums alone, if it is masked, or all the rest."""
        async with self._store.reading() as connection:
            questions = [
                await data_request(connection, permission.id)
                for permission in await Permissions(connection).all()
                if permission.state is State.PROPOSED
                and (permission.need.witness is not None) == self.home.masked
            ]
        for question in questions:
            if (words := await objection(self._store, question, connects=True)) is not None:
                raise ValueError(words.say())
            choice = Choice(
                series=frozenset(filter(question.need.asks_for, self._series_ids)),
                history_days=history_days,
                subscribed_kva={series.device: self.home.kva for series in self._series_ids},
            )
            now = datetime.now(UTC)
            shown = consent_text.grant(question.need, question.peer, choice, now, _LANGUAGE)
            async with self._store.writing() as connection:
                await grant(
                    connection,
                    self._naming,
                    question,
                    choice,
                    Signature(_WHO, shown),
                    code=self.home.code,
                )
        self._changes.notify()

    async def _until(self, happened: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            while not await happened():
                await asyncio.sleep(_LOOKS_EVERY_S)

    async def _is_notified(self) -> bool:
        async with self._store.reading() as connection:
            for peer in await all_peers(connection):
                if await Permissions(connection).notices(peer.id):
                    return False
        return True

    async def _has_reported(self) -> bool:
        async with self._store.reading() as connection:
            states = await collectives(connection, datetime.now(UTC))
        return not any(
            each.subscription is None or each.waiting for state in states for each in state.shared
        )


class _Forgetful(WitnessClient):
    """Enrols a home, then replaces its key, as a wrong copy of its file would."""

    def __init__(self, store: Store, trust: Trust) -> None:
        super().__init__(trust)
        self._store = store

    @override
    async def ask[T](
        self, witness: Witness, call: Call, body: Mapping[str, Any], read: Callable[[object], T]
    ) -> T:
        answer = await super().ask(witness, call, body, read)
        if call is Call.ENROLMENTS:
            permission = PermissionId(body["pseudonym"])
            async with self._store.writing() as connection:
                keys = await load_keys(connection, permission)
                assert keys is not None
                other = DayKey(keys.day_key.day, bytes(KEY_BYTES))
                await keep_keys(connection, permission, replace(keys, day_key=other))
        return answer


class _Answers(Answers):
    """Counts how much of its past was requested."""

    role = Role.HOUSEHOLD

    def __init__(
        self,
        store: Store,
        naming: Naming,
        answered: Answered,
        confirms: Confirms,
        settled: Settled,
        *,
        home: StreetHome,
    ) -> None:
        super().__init__(store, naming, answered, confirms, settled)
        self._home = home

    @override
    async def get_history(self, asker: Asker, request: GetHistory) -> Data:
        start, end = request.range(datetime.now(UTC))
        try:
            async with asyncio.timeout(_COUNTS_WITHIN_S):
                await self._home.until_counted(start)
        except TimeoutError:
            raise ResourceConstraint from None
        answer = await super().get_history(asker, request)
        self._home.asked_s += (end - start).total_seconds()
        return answer


def _series(direction: Direction) -> Series:
    meter = "inverter" if direction is Direction.PRODUCTION else "linky"
    device = Device(f"sensor.{meter}_{direction}")
    return Series(device, direction, Quantity.ENERGY, Interval.PT1H, _TIME_ZONE)


def _blocks(kind: Series, counted: Iterable[Hour]) -> list[Block]:
    days: dict[date, list[Record]] = {}
    for hour in counted:
        start = datetime.fromtimestamp(hour.n * HOUR_S, UTC)
        days.setdefault(start.date(), []).append(Record(start, _wh(kind.direction, hour)))
    return [Block.of(kind, day, records) for day, records in days.items()]


def _wh(direction: Direction, hour: Hour) -> int:
    match direction:
        case Direction.CONSUMPTION:
            return hour.drawn_wh
        case Direction.INJECTION:
            return hour.injected_wh
        case Direction.PRODUCTION:
            return hour.made_wh


def _hour(at: datetime) -> int:
    """Return the hour in which an instant is, counted from 1970."""
    return int(at.timestamp()) // HOUR_S
