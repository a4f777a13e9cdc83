"""Telling a peer what was decided here, until it has confirmed it.

A peer whose data need somebody wrote in a file was asked nothing over the network, and is told
nothing.

A backup of the node that is older than a withdrawal brings the grant back. So at each start the
node tells again what it takes to be granted: the collective's receipt says how things stand, and
nothing is pushed to it before that.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from ..permission import Actor, Notice, Permission, Permissions, ShownText, Signature, State
from ..quoalise import (
    ErrorType,
    ItemNotFound,
    OtherError,
    Permission as Said,
    QuoaliseError,
    Receipt,
    federation_xml,
)
from ..quoalise.markup import serialise
from ..quoalise.text import text, typeset
from ..store import PermissionId, Store
from ..store.peers import Peer
from ..wire import Naming, Unsayable, write_permission
from ..xmpp import Asking, NetworkError

_UNTOLD = "ended before it was told"
_NO_RECEIPT = "ended before its receipt came"
_UNKNOWN_THERE = "not known to the peer"
_RESTORED = text(
    "The receipt of {peer} says that this permission was withdrawn on {day}. An older state of this"
    " node had brought it back: it is withdrawn again."
)
_RESTORER = "restored state"
_STRANGE_RECEIPT = text(
    "The collective answers with a receipt of something else: tell whoever runs it."
)


_AWAY = frozenset(
    {
        "recipient-unavailable",
        "remote-server-not-found",
        "remote-server-timeout",
        "service-unavailable",
    }
)


def is_away(fault: NetworkError | QuoaliseError | Unsayable) -> bool:
    """Return whether it is not the peer that says so: it is not there to answer."""
    if isinstance(fault, QuoaliseError):
        return fault.condition in _AWAY
    return isinstance(fault, NetworkError)


class Notices:
    """What one peer is to be told."""

    def __init__(
        self, store: Store, peer: Peer, naming: Naming, asking: Asking, language: str = "en"
    ) -> None:
        """Prepare; `language` is that of the words that are kept of a withdrawal found out."""
        self._store = store
        self._peer = peer
        self._naming = naming
        self._asking = asking
        self._language = language
        self._confirmed: set[PermissionId] = set()
        self._untold: set[PermissionId] = set()
        self._changed = False

    async def tell(self) -> bool:
        """Send all decisions that are due. Return whether a permission has changed.

        Raises `NetworkError` and `QuoaliseError`: what was confirmed until then stays so, and what
        the peer refuses keeps nothing else from being told.
        """
        async with self._store.reading() as connection:
            permissions = Permissions(connection)
            asked = [
                one
                for one in await permissions.all(self._peer.id)
                if (await permissions.entries(one.id))[0].actor is Actor.PEER
            ]
            known = {one.id: one for one in asked}
            notices = await permissions.notices(self._peer.id)
        self._untold = set()
        self._changed = False
        refusal: QuoaliseError | None = None
        for work in (
            *(self._tell(known[one.permission], one) for one in notices if one.permission in known),
            *(self._tell_again(one) for one in asked if one.state is State.GRANTED),
        ):
            try:
                await work()
            except QuoaliseError as fault:
                if is_away(fault):
                    raise
                # It keeps nothing else from being told, a withdrawal least of all.
                refusal = refusal or fault
        if refusal is not None:
            raise refusal
        return self._changed

    def _tell(self, permission: Permission, notice: Notice) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            if notice.state is not State.GRANTED:
                if permission.id in self._untold:
                    await self._told(notice.seq, _UNTOLD)
                else:
                    await self._withdraw(permission, notice)
            elif permission.state is State.GRANTED:
                await self._confirm(permission, notice.seq)
            elif notice.begun:
                await self._told(notice.seq, _NO_RECEIPT)
            else:
                self._untold.add(permission.id)
                await self._told(notice.seq, _UNTOLD)

        return work

    def _tell_again(self, permission: Permission) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            if permission.id not in self._confirmed:
                await self._confirm(permission, None)

        return work

    async def _confirm(self, permission: Permission, seq: int | None) -> None:
        async with self._store.writing() as connection:
            permissions = Permissions(connection)
            if (await permissions.get(permission.id)).state is not State.GRANTED:
                self._changed = True
                return
            if seq is not None:
                await permissions.telling(seq)
        receipt = await self._asking.grant(self._peer.jid, await self._said(permission))
        _expect(receipt, permission, State.GRANTED, State.WITHDRAWN, State.TERMINATED)
        if seq is not None:
            await self._told(seq, _shown(receipt))
        if State(receipt.state) is not State.GRANTED:
            await self._end(permission, receipt)
            self._changed = True
        self._confirmed.add(permission.id)

    async def _withdraw(self, permission: Permission, notice: Notice) -> None:
        erase = notice.erase is not False
        try:
            receipt = await self._asking.withdraw(self._peer.jid, permission.id, erase=erase)
        except ItemNotFound:
            await self._told(notice.seq, _UNKNOWN_THERE)
            return
        _expect(receipt, permission, State.WITHDRAWN, State.TERMINATED)
        await self._told(notice.seq, _shown(receipt))

    async def _said(self, permission: Permission) -> Said:
        """Return a grant in the words of the protocol."""
        assert permission.terms is not None
        terms = permission.terms
        async with self._store.reading() as connection:
            permissions = Permissions(connection)
            entries = await permissions.entries(permission.id)
            granted = next(entry for entry in entries if entry.state is State.GRANTED)
            shown = await permissions.shown_text(granted)
        assert shown is not None
        names = self._naming.names(terms.series, self._peer.jid, terms.identification)
        return write_permission(permission.id, permission.need, terms, tuple(names), shown)

    async def _end(self, permission: Permission, receipt: Receipt) -> None:
        """End a permission as the receipt says that it had ended."""
        now = datetime.now(UTC)
        async with self._store.writing() as connection:
            permissions = Permissions(connection)
            if (await permissions.get(permission.id)).state is not State.GRANTED:
                return
            if State(receipt.state) is State.TERMINATED:
                await permissions.terminate(permission.id, now)
                return
            words = _RESTORED.fill(peer=self._peer.jid, day=receipt.time.date())
            language = words.language(self._language)
            shown = ShownText(language, typeset(words.say(language), language))
            await permissions.withdraw(permission.id, Signature(_RESTORER, shown), now)
            for notice in await permissions.notices(self._peer.id):
                if notice.permission == permission.id:
                    await permissions.keep_receipt(notice.seq, _shown(receipt), now)

    async def _told(self, seq: int, receipt: str) -> None:
        async with self._store.writing() as connection:
            await Permissions(connection).keep_receipt(seq, receipt, datetime.now(UTC))


def _shown(receipt: Receipt) -> str:
    return serialise(federation_xml.write_receipt(receipt)).decode()


def _expect(receipt: Receipt, permission: Permission, *states: State) -> None:
    """Refuse a receipt of something else."""
    if receipt.permission != permission.id or State(receipt.state) not in states:
        raise OtherError("undefined-condition", ErrorType.CANCEL, _STRANGE_RECEIPT)
