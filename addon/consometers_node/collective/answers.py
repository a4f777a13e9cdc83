"""What a collective answers: what it asks for, what it was given, and its own sums to whoever may.

A household is let in by its invitation, and known by its address from then on.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import override
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from ..quoalise import (
    BadRequest,
    DataNeed,
    Device,
    Erased,
    ItemNotFound,
    NotAuthorized,
    Permission,
    QuoaliseError,
    Receipt,
    Role,
    State,
    Text,
)
from ..sharing.answers import Answers, Confirms, Hear, Settled
from ..store import Store
from ..wire import Naming, Unsayable, write_need
from ..xmpp import Asker
from . import given, invitations, needs
from .errors import CollectiveFault, NotInvited, NotYours, Unknown
from .given import Actor, Given
from .members import Members
from .moving import moving
from .rights import erase as erase_given

_REFUSALS: dict[type[CollectiveFault], Callable[[Text], QuoaliseError]] = {
    NotInvited: NotAuthorized,
    NotYours: NotAuthorized,
    Unknown: ItemNotFound,
}
"""Of other faults it is what was sent that is to be changed."""


class CollectiveAnswers(Answers):
    """Takes what members give, beside answering to whom sums are granted."""

    role = Role.COLLECTIVE

    def __init__(
        self,
        store: Store,
        naming: Naming,
        hear: Hear,
        confirms: Confirms,
        settled: Settled,
        *,
        device: Device,
        zone: ZoneInfo,
        given_anew: Callable[[], None],
    ) -> None:
        """Answer as this collective (`device`); hear of what was given, or taken."""
        super().__init__(store, naming, hear, confirms, settled)
        self._device = device
        self._zone = zone
        self._given_anew = given_anew

    @override
    async def get_data_needs(self, asker: Asker, invitation: str | None) -> Iterable[DataNeed]:
        with _as_refusal():
            async with self._store.writing() as connection:
                members = Members(connection, self._zone)
                await invitations.admit(members, asker.jid, invitation, datetime.now(UTC))
                return [write_need(one) for one in await needs.offered(connection)]

    @override
    async def grant(self, asker: Asker, permission: Permission) -> Receipt:
        now = datetime.now(UTC)
        with _as_refusal():
            async with self._store.writing() as connection:
                members = Members(connection, self._zone)
                member = await members.by_jid(asker.jid)
                if member is None:
                    raise NotAuthorized
                async with moving(connection, member.id, now):
                    taken = await given.take(members, member.id, permission, now, own=self._device)
                receipt = await _receipt(connection, taken)
        self._given_anew()
        return receipt

    @override
    async def withdraw(self, asker: Asker, permission: str, *, erase: bool) -> Receipt:
        now = datetime.now(UTC)
        with _as_refusal():
            async with self._store.writing() as connection:
                members = Members(connection, self._zone)
                member = await members.by_jid(asker.jid)
                if member is None:
                    raise ItemNotFound
                async with moving(connection, member.id, now):
                    ended = await given.withdraw(members, member.id, permission, now, erase=erase)
            self._given_anew()
            # What this is too short for is erased by `Upkeep`.
            erased = (
                await erase_given(self._store, self._zone, ended, now, Actor.MEMBER)
                if erase
                else ()
            )
            async with self._store.reading() as connection:
                return await _receipt(connection, ended, erased)


async def _receipt(
    connection: AsyncConnection, of: Given, erased: Iterable[Erased] = ()
) -> Receipt:
    """Say how a permission stands, and since when."""
    since = max(
        one.at for one in await given.register(connection, [of.id]) if one.state is of.state
    )
    return Receipt(permission=of.id, state=State(of.state), time=since, erased=tuple(erased))


@contextmanager
def _as_refusal() -> Iterator[None]:
    try:
        yield
    except Unsayable as fault:
        raise BadRequest(fault.text) from fault
    except CollectiveFault as fault:
        raise _REFUSALS.get(type(fault), BadRequest)(fault.text) from fault
