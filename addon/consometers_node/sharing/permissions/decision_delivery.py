"""Sends decisions to a peer, until it confirms them.

A peer whose data need somebody wrote in a file asked nothing over the network, and is sent nothing.

A backup of the node that is older than a withdrawal brings the grant back. So at each start the
node sends again what it takes to be granted: the collective's receipt has the present state, and
nothing is pushed to it before that.

A permission for sums is sent once its witness has confirmed the enrolment: before that, the peer
could not be sent anything by it.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from consometers_node.i18n.text import text, typeset
from consometers_node.permission import (
    Actor,
    Notice,
    Permission,
    Permissions,
    Reading,
    ShownText,
    Signature,
    State,
)
from consometers_node.series import Series
from consometers_node.store import PermissionId, Store
from consometers_node.store.peers import Peer
from consometers_node.wire import Naming, Unsayable, write_permission
from consometers_quoalise import (
    ErrorType,
    ItemNotFound,
    OtherError,
    Permission as PermissionMessage,
    QuoaliseError,
    Receipt,
)
from consometers_quoalise.elements.markup import serialise
from consometers_quoalise.federation import permissions_xml
from consometers_quoalise_network import Asking, NetworkError

_NEVER_SENT = "ended before it was sent"
_NO_RECEIPT = "ended before its receipt came"
_UNKNOWN_THERE = "not known to the peer"
_RESTORED = text(
    "The receipt of {peer} says that this permission was withdrawn on {day}. An older state of this"
    " node had brought it back: it is withdrawn again."
)
_RESTORER = "restored state"
_STRANGE_RECEIPT = text("The collective sent a receipt that does not match: inform its operator.")
_ENDED = frozenset({State.WITHDRAWN, State.TERMINATED, State.EXPIRED})

_AWAY = frozenset(
    {
        "recipient-unavailable",
        "remote-server-not-found",
        "remote-server-timeout",
        "service-unavailable",
    }
)


def is_away(fault: NetworkError | QuoaliseError | Unsayable) -> bool:
    """Return whether the peer is offline."""
    if isinstance(fault, QuoaliseError):
        return fault.condition in _AWAY
    return isinstance(fault, NetworkError)


class DecisionDelivery:
    """Sends decisions to one peer."""

    def __init__(
        self, store: Store, peer: Peer, naming: Naming, asking: Asking, language: str = "en"
    ) -> None:
        """Prepare; `language` is that of the words that are kept of a withdrawal found out."""
        self._store = store
        self._peer = peer
        self._naming = naming
        self._asking = asking
        self._language = language
        self._confirmed: dict[PermissionId, Mapping[Series, int]] = {}
        self._never_sent: set[PermissionId] = set()
        self._changed = False

    async def send(self) -> bool:
        """Send all decisions that are due. Return whether a permission has changed.

        Raises `NetworkError` and `QuoaliseError`: what was confirmed until then stays so, and what
        the peer refuses keeps nothing else from being sent.
        """
        async with self._store.reading() as connection:
            permissions = Permissions(connection)
            asked = {
                permission.id: permission
                for permission in await permissions.all(self._peer.id)
                if (await permissions.entries(permission.id))[0].actor is Actor.PEER
            }
            notices = [
                notice
                for notice in await permissions.notices(self._peer.id)
                if notice.permission in asked
            ]
            unenrolled = {
                permission.id
                for permission in asked.values()
                if permission.state is State.GRANTED
                and permission.need.reading is Reading.SUM
                and not await permissions.may_leave(permission.id)
            }
        self._never_sent = set()
        self._changed = False
        refusal: QuoaliseError | None = None
        work: list[tuple[Permission, Notice | None]] = [
            *((asked[notice.permission], notice) for notice in notices),
            *((each, None) for each in asked.values() if each.state is State.GRANTED),
        ]
        for permission, notice in work:
            if permission.id in unenrolled:
                continue
            try:
                await self._send(permission, notice)
            except QuoaliseError as fault:
                if is_away(fault):
                    raise
                # A failed notice must not delay the others, a withdrawal least of all.
                refusal = refusal or fault
        if refusal is not None:
            raise refusal
        return self._changed

    async def _send(self, permission: Permission, notice: Notice | None) -> None:
        """Send a notice; without one, a grant again: once, and when a subscribed power changed."""
        if notice is None:
            if self._confirmed.get(permission.id) != _subscribed(permission):
                await self._confirm(permission, None)
        elif notice.state is not State.GRANTED:
            if permission.id in self._never_sent:
                await self._store_receipt(notice.seq, _NEVER_SENT)
            else:
                await self._withdraw(permission, notice)
        elif permission.state is State.GRANTED:
            await self._confirm(permission, notice.seq)
        elif notice.is_under_way:
            await self._store_receipt(notice.seq, _NO_RECEIPT)
        else:
            self._never_sent.add(permission.id)
            await self._store_receipt(notice.seq, _NEVER_SENT)

    async def _confirm(self, permission: Permission, seq: int | None) -> None:
        async with self._store.writing() as connection:
            permissions = Permissions(connection)
            if (await permissions.get(permission.id)).state is not State.GRANTED:
                self._changed = True
                return
            if seq is not None:
                await permissions.begin_notice(seq)
        receipt = await self._asking.grant(self._peer.jid, await self._grant(permission))
        _expect(receipt, permission, {State.GRANTED, *_ENDED})
        if seq is not None:
            await self._store_receipt(seq, _shown(receipt))
        if receipt.state is not State.GRANTED:
            await self._end(permission, receipt)
            self._changed = True
        self._confirmed[permission.id] = _subscribed(permission)

    async def _withdraw(self, permission: Permission, notice: Notice) -> None:
        erase = notice.erase is not False
        try:
            receipt = await self._asking.withdraw(self._peer.jid, permission.id, erase=erase)
        except ItemNotFound:
            await self._store_receipt(notice.seq, _UNKNOWN_THERE)
            return
        _expect(receipt, permission, _ENDED)
        await self._store_receipt(notice.seq, _shown(receipt))

    async def _grant(self, permission: Permission) -> PermissionMessage:
        """Return a grant as the protocol writes it."""
        assert permission.terms is not None
        terms = permission.terms
        async with self._store.reading() as connection:
            permissions = Permissions(connection)
            entries = await permissions.entries(permission.id)
            granted = next(entry for entry in entries if entry.state is State.GRANTED)
            shown = await permissions.shown_text(granted)
        assert shown is not None
        names = self._naming.names(terms.series, self._peer.jid, terms.identification)
        return write_permission(permission.id, permission.need, terms, names, shown)

    async def _end(self, permission: Permission, receipt: Receipt) -> None:
        now = datetime.now(UTC)
        async with self._store.writing() as connection:
            permissions = Permissions(connection)
            if (await permissions.get(permission.id)).state is not State.GRANTED:
                return
            if receipt.state is not State.WITHDRAWN:
                # Where it expired by the peer's clock and not by ours, the peer ends it.
                await permissions.terminate(permission.id, now)
                return
            words = _RESTORED.fill(peer=self._peer.jid, day=receipt.time.date())
            language = words.language(self._language)
            shown = ShownText(language, typeset(words.say(language), language))
            await permissions.withdraw(permission.id, Signature(_RESTORER, shown), now)
            for notice in await permissions.notices(self._peer.id):
                if notice.permission == permission.id:
                    await permissions.keep_receipt(notice.seq, _shown(receipt), now)

    async def _store_receipt(self, seq: int, receipt: str) -> None:
        async with self._store.writing() as connection:
            await Permissions(connection).keep_receipt(seq, receipt, datetime.now(UTC))


def _subscribed(permission: Permission) -> Mapping[Series, int]:
    """Return the part of a grant that may change."""
    assert permission.terms is not None
    return permission.terms.subscribed_kva


def _shown(receipt: Receipt) -> str:
    return serialise(permissions_xml.write_receipt(receipt)).decode()


def _expect(receipt: Receipt, permission: Permission, states: Collection[State]) -> None:
    """Refuse a receipt for something else."""
    if receipt.permission != permission.id or receipt.state not in states:
        raise OtherError("undefined-condition", ErrorType.CANCEL, _STRANGE_RECEIPT.by_language)
