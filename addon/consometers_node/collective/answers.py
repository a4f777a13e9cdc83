"""The answers of a collective: its data needs, receipts for permissions, and its own sums.

A household is admitted by its invitation, and recognised by its address from then on.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import override

from consometers_node.i18n.text import text
from consometers_node.permission import (
    DataNeed as Need,
    Identification,
    Permissions,
    Permitted,
)
from consometers_node.series import Range
from consometers_node.sharing.answers import Answered, Answers, Confirms, Settled
from consometers_node.store import Store
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.peers import Peer
from consometers_node.wire import Naming, Unsayable, write_need
from consometers_quoalise import (
    BadRequest,
    Data,
    DataNeed,
    DeviceType,
    Direction,
    Duration,
    Erased,
    ExportPart,
    Identifier,
    ItemNotFound,
    Listed,
    NotAuthorized,
    Opened,
    Opening,
    Permission,
    Prices,
    Receipt,
    Role,
    SeriesPath,
    Shares,
    State,
    VerificationRequest,
    Verified,
)
from consometers_quoalise_network import Asker

from .about import load_about
from .challenges.own import CurrentChallenges
from .challenges.register import all_challenges
from .disclosure.sdc_rules import Publication
from .errors import CollectiveFault, NotFound
from .ingestion.validation import reconsider
from .members import invitations
from .members.members import MemberKind, Members
from .members.shares import holdings
from .members.subscribers import Subscribers, member_peer, plant_devices
from .permissions import member_permissions, needs
from .permissions.member_permissions import MemberPermission, PermissionActor
from .privacy.erasure import erase as erase_given
from .privacy.own_export import OwnExports
from .publication.closing import quartiles
from .publication.reading.queries import Published
from .settings import Settings
from .witness.service import WitnessService

_ONCE_A_MONTH = text(
    "This series is updated once a month and has no subscription: request it with get_history."
)
_TOO_MANY_MONTHS = text(
    "More than {most} months requested: request a shorter period, then the next one."
)


class CollectiveAnswers(Answers):
    """Receives what members send, and answers the readers of sums."""

    role = Role.COLLECTIVE

    def __init__(
        self,
        store: Store,
        naming: Naming,
        answered: Answered,
        confirms: Confirms,
        settled: Settled,
        *,
        settings: Settings,
        changed: Callable[[], None],
        subscribers: Subscribers,
        rules: Callable[[], Publication],
        exports: OwnExports,
        witness: WitnessService | None,
    ) -> None:
        """Answer as this collective; call `changed` when a permission comes or ends.

        `subscribers` lets members read what is published by the `rules` of now; `exports` gives
        each what is held of it; `witness` opens sums of other collectives, where it is one.
        """
        super().__init__(store, naming, answered, confirms, settled)
        self._device = settings.device
        self._zone = settings.time_zone
        self._about = settings.about
        self._changed = changed
        self._subscribers = subscribers
        self._rules = rules
        self._exports = exports
        self._witness = witness
        self._challenges = CurrentChallenges()

    @override
    async def peer_of(self, connection: AsyncConnection, asker: Asker) -> Peer | None:
        """Return the peer of an address to which something is granted, else the member of it."""
        peer = await super().peer_of(connection, asker)
        if peer is not None and await Permissions(connection).permitted(peer.id):
            return peer
        return await member_peer(connection, asker.jid) or peer

    @override
    def permitted_by(self, asked: Identifier) -> Identifier:
        return quartiles.daily_of(asked) or asked

    @override
    async def history(
        self,
        connection: AsyncConnection,
        asked: Identifier,
        grant: Permitted,
        records: Range,
        now: datetime,
    ) -> tuple[Data, int]:
        if quartiles.daily_of(asked) is None:
            return await super().history(connection, asked, grant, records, now)
        zone = self._zone.key
        months = quartiles.months_in(records, zone)
        if len(months) > quartiles.MOST_MONTHS:
            raise BadRequest(_TOO_MANY_MONTHS.fill(most=quartiles.MOST_MONTHS).by_language)
        published = {}
        if grant.series.device == str(self._device):
            published = await quartiles.of_months(connection, grant.series.direction, months, zone)
        data = quartiles.as_data(asked, published, zone)
        return data, len(data)

    @override
    async def subscribe(self, asker: Asker, series: Identifier) -> None:
        if quartiles.daily_of(series) is not None:
            raise BadRequest(_ONCE_A_MONTH.by_language)
        await super().subscribe(asker, series)

    @override
    async def list_series(self, asker: Asker) -> Iterable[Listed]:
        listed = list(await super().list_series(asker))
        async with self._store.reading() as connection:
            plants = await plant_devices(connection)
            challenges = await all_challenges(connection)
            member = None
            if plants or challenges:
                member = await Members(connection, self._zone).by_jid(asker.jid)
            challenge = None
            if member and challenges:
                challenge = await self._challenges.of_member(
                    connection, self._published, member, datetime.now(UTC)
                )
            held = await holdings(connection, member.id) if member else []
            stated = (await load_about(connection, self._about)).prices
        shares = {holding.plant.id: holding.shares for holding in held}
        by_device = {
            str(device): Shares(name=plant.name, held=shares.get(plant.id, 0), total=plant.total)
            for device, plant in plants.items()
            if member
        }
        prices = Prices(local=stated.local, grid=stated.grid) if stated else None
        for place, listing in enumerate(listed):
            series = listing.series
            if series.summed is None:
                of_all = series.direction if series.device == self._device else None
                listed[place] = replace(
                    listing,
                    shares=by_device.get(str(series.device)),
                    prices=prices if of_all is Direction.INJECTION else None,
                    challenge=challenge if of_all is Direction.CONSUMPTION else None,
                )
        return listed + [
            Listed(
                series=name,
                interval=Duration(months=1),
                unit="Wh",
                device=DeviceType.COLLECTIVE,
            )
            for daily in listed
            if daily.series.quantity == SeriesPath.ENERGY_DAILY
            and daily.series.device == self._device
            for name in quartiles.beside(daily.series)
        ]

    @property
    def _published(self) -> Published:
        assert self._naming.collective is not None
        return Published(self._naming.collective, self._zone, self._rules())

    @override
    async def get_data_needs(self, asker: Asker, invitation: str | None) -> Iterable[DataNeed]:
        with _as_refusal():
            now = datetime.now(UTC)
            # Strangers are many: none of them gets a turn among the writers.
            async with self._store.reading() as connection:
                members = Members(connection, self._zone)
                await invitations.check(members, asker.jid, invitation, now)
            async with self._store.writing() as connection:
                members = Members(connection, self._zone)
                member = await invitations.admit(members, asker.jid, invitation, now)
                return [
                    write_need(need)
                    for need in await needs.offered(connection)
                    if _is_for(member.kind, need)
                ]

    @override
    async def grant(self, asker: Asker, permission: Permission) -> Receipt:
        now = datetime.now(UTC)
        with _as_refusal():
            async with self._store.writing() as connection:
                members = Members(connection, self._zone)
                member = await members.by_jid(asker.jid)
                if member is None:
                    raise NotAuthorized
                taken = await member_permissions.take(
                    members, member.id, permission, now, own=self._device
                )
                if taken.state is State.GRANTED:
                    # It may say a greater subscribed power than before.
                    await reconsider(connection, member, now)
                    interval = self._rules().interval
                    await self._subscribers.grant(connection, member.pseudonym, interval, now)
                receipt = await _receipt(connection, taken)
        self._changed()
        return receipt

    @override
    async def withdraw(self, asker: Asker, permission: str, *, erase: bool) -> Receipt:
        now = datetime.now(UTC)
        erased: Iterable[Erased] = ()
        with _as_refusal():
            async with self._store.withdrawing() as connection:
                members = Members(connection, self._zone)
                member = await members.by_jid(asker.jid)
                if member is None:
                    raise ItemNotFound
                unknown: NotFound | None = None
                try:
                    ended = await member_permissions.withdraw(
                        members, member.id, permission, now, erase=erase
                    )
                except NotFound as fault:
                    await member_permissions.forestall(connection, member.id, permission)
                    unknown = fault
            if unknown is not None:
                raise unknown
            self._changed()
            # `Retention` erases what this is too short for.
            if erase:
                erased = await erase_given(
                    self._store, self._zone, ended, now, PermissionActor.MEMBER
                )
                self._changed()
            async with self._store.reading() as connection:
                return await _receipt(connection, ended, erased)

    @override
    async def get_export(self, asker: Asker, part: int) -> ExportPart:
        return await self._exports.part(asker.jid, part)

    @override
    async def verify_reports(self, asker: Asker, request: VerificationRequest) -> Verified:
        if self._witness is None:
            return await super().verify_reports(asker, request)
        return await self._witness.verify_reports(asker.jid, request)

    @override
    async def open_sums(self, asker: Asker, opening: Opening) -> Opened:
        if self._witness is None:
            return await super().open_sums(asker, opening)
        return await self._witness.open_sums(asker.jid, opening)


async def _receipt(
    connection: AsyncConnection, permission: MemberPermission, erased: Iterable[Erased] = ()
) -> Receipt:
    """Return how a permission stands, and since when.

    Of what retention erased first, the names of the series are gone.
    """
    entries = await member_permissions.register(connection, [permission.id])
    since = max(entry.at for entry in entries if entry.state is permission.state)
    before = sum(entry.erased or 0 for entry in entries)
    counts = tuple(erased) or ((Erased(None, before),) if before else ())
    return Receipt(permission=permission.id, state=permission.state, time=since, erased=counts)


def _is_for(kind: MemberKind, need: Need) -> bool:
    """Return whether members of a kind are asked: only sites by name, only homes for sums."""
    if need.identification is Identification.NAME:
        return kind is MemberKind.SITE
    return need.witness is None or kind is MemberKind.HOME


@contextmanager
def _as_refusal() -> Iterator[None]:
    try:
        yield
    except Unsayable as fault:
        raise BadRequest(fault.text.by_language) from fault
    except CollectiveFault as fault:
        raise fault.refusal(fault.text.by_language) from fault
