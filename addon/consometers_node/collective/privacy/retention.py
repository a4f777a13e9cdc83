"""Retention: permissions expire, and their records are erased after their retention."""

import asyncio
from collections.abc import Sequence
import logging
from typing import NoReturn
from zoneinfo import ZoneInfo

from consometers_node.collective.letters import register as letters
from consometers_node.collective.members.accounts import remove_ordered
from consometers_node.collective.members.members import Members
from consometers_node.collective.members.subscribers import Subscribers
from consometers_node.collective.output_series import forget_old_names
from consometers_node.collective.permissions import member_permissions
from consometers_node.collective.permissions.member_permissions import MemberPermission
from consometers_node.collective.publication.closing.openings import give_up
from consometers_node.collective.publication.policy import InForce
from consometers_node.i18n.text import text
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.clock import Clock
from consometers_node.store.collective import access_log
from consometers_node.store.engine.exclusive import alone
from consometers_node.store.outbox import take_turns

from .erasure import erase_due, forget_notified, is_wiped, order_wipe, wipe

EVERY_S = 300.0
SUBSCRIBERS_AT_ONCE = 25
"""Members in one transaction, while others wait."""
_REST_S = 0.1

_EXPIRED = text("Permissions that expired: {count}.")
_LOGGER = logging.getLogger(__name__)


class Retention:
    """Ends expired permissions, and erases records that are due."""

    def __init__(
        self,
        store: Store,
        zone: ZoneInfo,
        changes: Changes,
        clock: Clock,
        *,
        account_removal: Sequence[str] = (),
        every_s: float = EVERY_S,
    ) -> None:
        """Prepare; `account_removal` is the command that removes accounts of erased members."""
        self._store = store
        self._zone = zone
        self._changes = changes
        self._clock = clock
        self._account_removal = account_removal
        self._every_s = every_s

    async def run(self) -> NoReturn:
        while True:
            await asyncio.sleep(self._every_s)
            await self.look()

    async def look(self) -> None:
        """Do what is due now: without a confirmed clock, only the requested erasures."""
        expired: list[MemberPermission] = []
        async with self._store.writing() as connection:
            now = await self._clock.confirmed(connection)
            if now is not None:
                await alone(connection)
                expired = await member_permissions.expire(Members(connection, self._zone), now)
                await member_permissions.announce(connection, now)
        erased = await erase_due(self._store, self._zone, now, self._clock.now())
        removed = 0
        if now is not None:
            removed = await remove_ordered(self._store, self._account_removal, now)
        async with self._store.writing() as connection:
            # In the order of the write queue.
            await take_turns(connection)
            await alone(connection)
            if await forget_old_names(connection) or removed:
                await order_wipe(connection)
            if now is not None:
                members = Members(connection, self._zone)
                await members.forget_guests(now)
                await forget_notified(members, now)
                await access_log.forget(connection, now)
                await letters.forget(connection, now)
                await give_up(connection, now)
            wiped = await is_wiped(connection)
        if not wiped:
            await wipe(self._store)
        if expired:
            _LOGGER.info(_EXPIRED.fill(count=len(expired)))
        if expired or erased:
            self._changes.notify()


async def keep_subscribers(
    store: Store,
    subscribers: Subscribers,
    rules: InForce,
    changes: Changes,
    *,
    clock: Clock,
    every_s: float,
) -> NoReturn:
    """Grant read access to exactly the current members, repeatedly."""
    while True:
        while await _update(store, subscribers, rules, clock):
            changes.notify()
            await asyncio.sleep(_REST_S)
        await asyncio.sleep(every_s)


async def _update(store: Store, subscribers: Subscribers, rules: InForce, clock: Clock) -> bool:
    """Update which members may read; return whether more may follow.

    By a wrong clock no permission is granted: it would be of another year.
    """
    async with store.reading() as connection:
        now = await clock.unless_wrong(connection)
        if now is None:
            return False
        interval = (await rules.read(connection, now)).publication.interval
        if await subscribers.are_current(connection, interval):
            return False
    async with store.writing() as connection:
        return await subscribers.update(connection, interval, now, SUBSCRIBERS_AT_ONCE) > 0
