"""A home and its witnesses: it enrols by its code, asks daily what was opened, and leaves.

What a witness does not answer is asked again, later each time. A withdrawal waits for nothing here:
nothing more is sent from then on, and the witness learns it as soon as it answers. A home whose
keys are lost, here or at the witness, draws others, and enrols again by the same code.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import json
import logging
from typing import Final, NoReturn

from consometers_node.i18n.foreign import isolated
from consometers_node.i18n.text import Text, TranslatedError, text
from consometers_node.permission import Permission, Permissions, State
from consometers_node.sharing.changes import Changes
from consometers_node.sharing.records.masked_reports import HomeKeys, keep_keys, load_keys
from consometers_node.store import PeerId, PermissionId, Store
from consometers_node.store.clock import Clock
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.household.enrolments import (
    StoredEnrolment,
    add_enrolment,
    code_of,
    enrolments,
    set_code,
    update_enrolment,
)
from consometers_node.store.peers import all_peers
from consometers_node.wire.needs import need_hash
from consometers_node.wire.witness_requests import (
    Call,
    DepartureReceipt,
    EnrolmentReceipt,
    EnrolmentRequest,
    OpeningsSummary,
    SignedRequest,
)
from consometers_quoalise import Witness
from consometers_quoalise_network.backoff import Backoff

from .witness_client import WitnessClient, WitnessFault
from .witness_heads import heads_of, remember_head

LOOK_EVERY: Final = timedelta(days=1)
_ENROLS_AGAIN_AFTER: Final = timedelta(hours=1)
"""The least time between two enrolments, for a witness that loses each key at once."""
_WAKES_EVERY_S: Final = 600.0
_DAY_S: Final = LOOK_EVERY.total_seconds()
"""A code that was refused is sent again after so long, unless a person enters another."""

_UNCONFIRMED = text(
    "The node’s clock is not confirmed yet: the witness is asked once it is, and nothing leaves"
    " before."
)
_FUTURE_KEY = text(
    "The node’s clock was ahead: its key is that of {day}, and nothing leaves before that day. Set"
    " the clock; or withdraw, and allow again."
)
_WRONG_RECEIPT = text(
    "The receipt of the witness {name} does not prove that it has this home’s key: inform its"
    " contact, {contact}."
)
_NO_CODE = text("Enter the code that {name} gave you: nothing leaves before.")
_NO_KEYS = text(
    "The keys of this permission are missing, so the witness {name} cannot learn that it has ended:"
    " inform its contact, {contact}. Nothing leaves."
)
_REVOKED = text(
    "{name} has revoked the code of this home, so nothing leaves. To take part again, withdraw, and"
    " allow again with another code, from {contact}."
)

_LEFT = text("A witness knows that this home has left.")
_UNKNOWN = text(
    "The witness {name} no longer has this home’s key, as after a restored backup: this home enrols"
    " again by its code."
)
_ENROLLED = text("A witness has confirmed an enrolment.")
_LOGGER = logging.getLogger(__name__)


class Enrolling:
    """Manages the enrolments of one home."""

    def __init__(
        self, store: Store, clock: Clock, changes: Changes, client: WitnessClient, backoff: Backoff
    ) -> None:
        """Prepare; nothing is sent yet."""
        self.problems: Mapping[PermissionId, Text] = {}
        """The problem of each permission, for people."""
        self._store = store
        self._clock = clock
        self._changes = changes
        self._client = client
        self._backoff = backoff
        self._retries: dict[PermissionId, _Retry] = {}

    async def run(self) -> NoReturn:
        """Enrol, read and leave until cancelled."""
        while True:
            seen = self._changes.count
            await self.round()
            now = _loop_time()
            retries = (retry.at for retry in self._retries.values())
            next_at = min(retries, default=now + _WAKES_EVERY_S)
            await self._changes.after(seen, min(_WAKES_EVERY_S, max(0.0, next_at - now)))

    async def round(self) -> None:
        """Do what is due for each permission."""
        problems: dict[PermissionId, Text] = {}
        changed = False
        async with self._store.reading() as connection:
            permissions = await Permissions(connection).all()
            peers = {peer.id: peer.jid for peer in await all_peers(connection)}
        for permission in permissions:
            if (witness := permission.need.witness) is None:
                continue
            try:
                changed |= await self._keep(permission, witness, peers)
            except (WitnessFault, _Waiting) as fault:
                problems[permission.id] = fault.text
        if changed or problems != self.problems:
            self.problems = problems
            self._changes.notify()

    async def _keep(
        self, permission: Permission, witness: Witness, peers: Mapping[PeerId, str]
    ) -> bool:
        """Do what is due for a permission. Return whether anything is new."""
        is_granted = permission.state is State.GRANTED
        async with self._store.reading() as connection:
            stored = (await enrolments(connection)).get(permission.id)
            keys = await load_keys(connection, permission.id)
            code = await code_of(connection, permission.id)
        called = {"name": isolated(witness.name), "contact": isolated(witness.contact)}
        if stored is not None and stored.left_at is not None:
            if is_granted:
                raise _Waiting(_REVOKED, **called)
            return False
        if is_granted and code is None and (stored is None or stored.enrolled_at is None):
            raise _Waiting(_NO_CODE, **called)
        if is_granted and not _fit(stored, keys) and (enrolled := await self._begin(permission.id)):
            stored, keys = enrolled
        if stored is None:
            return False
        if keys is None:
            raise _Waiting(_NO_KEYS, **called)
        if stored.enrolled_at is not None:
            keys = await self._age(permission.id, keys)
        call = _due(stored, is_granted=is_granted, now=self._clock.now())
        retry = self._retries.pop(permission.id, None)
        if call is None:
            return False
        if retry is not None and (retry.call, retry.code) != (call, code):
            retry = None
        if retry is not None and retry.at > _loop_time():
            self._retries[permission.id] = retry
            raise _Waiting(retry.why)
        try:
            await self._ask(
                call,
                permission,
                witness,
                peers[permission.peer],
                keys=keys,
                code=code,
                has_receipt=stored.enrolled_at is not None,
            )
        except WitnessFault as fault:
            now = self._clock.now()
            if call is Call.OPENINGS and fault.has_no_key and _was_long_ago(stored, now):
                # The witness has lost the key: the home enrols again by its code.
                _LOGGER.warning(_UNKNOWN.fill(**called))
                await self._begin(permission.id)
                return True
            failures = 0 if retry is None else retry.failures + 1
            wait_s = _DAY_S if fault.needs_code else self._backoff.seconds(failures)
            at = _loop_time() + wait_s
            self._retries[permission.id] = _Retry(call, code, failures, at, fault.text)
            raise
        return True

    async def _begin(self, permission: PermissionId) -> tuple[StoredEnrolment, HomeKeys] | None:
        """Draw the keys of an enrolment, by a confirmed clock only; None if it has ended."""
        async with self._store.writing() as connection:
            now = await self._clock.confirmed(connection)
            if now is None:
                raise _Waiting(_UNCONFIRMED)
            if (await Permissions(connection).get(permission)).state is not State.GRANTED:
                return None
            keys = HomeKeys.new(now.astimezone(UTC).date())
            if permission in await enrolments(connection):
                await update_enrolment(
                    connection, permission, enrolled_at=None, receipt=None, keys_lost_at=now
                )
            else:
                await add_enrolment(connection, permission)
            await keep_keys(connection, permission, keys)
            return (await enrolments(connection))[permission], keys

    async def _age(self, permission: PermissionId, keys: HomeKeys) -> HomeKeys:
        """Replace the key by today's, if the clock is confirmed: there is no way back."""
        today = self._clock.now().astimezone(UTC).date()
        if keys.day_key.day == today:
            return keys
        async with self._store.writing() as connection:
            now = await self._clock.confirmed(connection)
            if now is None:
                return keys
            day = now.astimezone(UTC).date()
            if day < keys.day_key.day:
                raise _Waiting(_FUTURE_KEY, day=keys.day_key.day)
            keys = keys.on(day)
            await keep_keys(connection, permission, keys)
        return keys

    async def _ask(
        self,
        call: Call,
        permission: Permission,
        witness: Witness,
        collective: str,
        *,
        keys: HomeKeys,
        code: str | None,
        has_receipt: bool,
    ) -> None:
        """Send a witness a request, and store its answer. Raises `WitnessFault`."""
        if call is Call.ENROLMENTS:
            assert code is not None
            await self._enrol(permission, witness, collective, keys, code)
            return
        now = self._clock.now().replace(microsecond=0)
        heads = await self._heads(witness)
        signed = SignedRequest.of(
            call, collective, permission.id, now, keys.authentication_key, heads=heads
        )
        if call is Call.OPENINGS:
            answer = await self._client.ask(witness, call, signed.body(), OpeningsSummary.read)
            async with self._store.writing() as connection:
                summary = json.dumps(answer.body())
                await update_enrolment(connection, permission.id, asked_at=now, summary=summary)
                await remember_head(connection, witness.url, answer.head)
                if answer.left_at is not None:
                    await self._end(connection, permission.id, answer.left_at)
            return
        try:
            left = await self._client.ask(witness, call, signed.body(), DepartureReceipt.read)
        except WitnessFault as fault:
            # Whether an enrolment without a receipt arrived is uncertain; and of a home whose key
            # the witness has lost, there is nothing to open.
            if not fault.has_no_key and (has_receipt or not fault.is_unknown):
                raise
            left = DepartureReceipt(now)
        async with self._store.writing() as connection:
            await self._end(connection, permission.id, left.left_at)
        _LOGGER.info(_LEFT)

    async def _heads(self, witness: Witness) -> tuple[bytes, ...]:
        async with self._store.reading() as connection:
            return await heads_of(connection, witness.url)

    async def _end(
        self, connection: AsyncConnection, permission: PermissionId, left_at: datetime
    ) -> None:
        """Store that a home has left its witness: its keys and its code are of no use any more."""
        await update_enrolment(connection, permission, left_at=left_at)
        await keep_keys(connection, permission, None)
        await set_code(connection, permission, None)

    async def _enrol(
        self, permission: Permission, witness: Witness, collective: str, keys: HomeKeys, code: str
    ) -> None:
        need, terms = permission.need, permission.terms
        assert terms is not None
        request = EnrolmentRequest(
            collective=collective,
            pseudonym=permission.id,
            need=need.id,
            version=need.version,
            need_sha256=need_hash(need),
            minimum=witness.minimum,
            directions=frozenset(series.direction for series in terms.series),
            day=keys.day_key.day,
            key=keys.day_key.secret,
            code=code,
            heads=await self._heads(witness),
        )
        receipt = await self._client.ask(
            witness, Call.ENROLMENTS, request.body(), EnrolmentReceipt.read
        )
        if not receipt.proves(request):
            raise WitnessFault(_WRONG_RECEIPT.fill(name=witness.name, contact=witness.contact))
        async with self._store.writing() as connection:
            await update_enrolment(
                connection,
                permission.id,
                enrolled_at=receipt.enrolled_at,
                receipt=receipt.mac.hex(),
            )
            await remember_head(connection, witness.url, receipt.head)
        _LOGGER.info(_ENROLLED)


@dataclass(frozen=True, slots=True)
class _Retry:
    """A failed request to a witness: its count, its next attempt, and its reason."""

    call: Call
    code: str | None = field(repr=False)
    failures: int
    at: float
    why: Text


class _Waiting(TranslatedError):
    """No request is possible now; `text` says why."""


def _fit(stored: StoredEnrolment | None, keys: HomeKeys | None) -> bool:
    """Return whether an enrolment has its keys.

    Where the database was restored, they may be missing, or of a day after the one that it enrols
    with.
    """
    if stored is None or keys is None:
        return False
    return stored.enrolled_at is not None or keys.are_first


def _was_long_ago(stored: StoredEnrolment, now: datetime) -> bool:
    assert stored.enrolled_at is not None
    return abs(now - stored.enrolled_at) >= _ENROLS_AGAIN_AFTER


def _due(stored: StoredEnrolment, *, is_granted: bool, now: datetime) -> Call | None:
    """Return the next request to a witness that the home has not left."""
    if not is_granted:
        return Call.DEPARTURES
    if stored.enrolled_at is None:
        return Call.ENROLMENTS
    is_new = stored.asked_at is not None and abs(now - stored.asked_at) < LOOK_EVERY
    return None if is_new else Call.OPENINGS


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
