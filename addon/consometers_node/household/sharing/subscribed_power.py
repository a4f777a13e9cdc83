"""Keeps the subscribed powers that left with permissions as the meters say them.

About once a day: `DecisionDelivery` sends a grant again whose power has changed.
"""

import asyncio
from contextlib import suppress
import random
from typing import NoReturn

from consometers_node.household.errors import SourceFault
from consometers_node.household.source import Source
from consometers_node.household.statistics import StatisticId
from consometers_node.household.waiting import patiently
from consometers_node.permission import Permissions, State
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store


class SubscribedPowers:
    """Asks the source for the powers that a collective knows, and for no other."""

    def __init__(self, store: Store, source: Source, changes: Changes, every_s: float) -> None:
        self._store = store
        self._source = source
        self._changes = changes
        self._every_s = every_s

    async def run(self) -> NoReturn:
        """Ask repeatedly until cancelled."""
        while True:
            with suppress(SourceFault):
                await self._look()
            await asyncio.sleep(self._every_s * random.uniform(0.5, 1.5))  # noqa: S311

    async def _look(self) -> None:
        async with self._store.reading() as connection:
            sent = {
                series.device
                for permission in await Permissions(connection).all()
                if permission.state is State.GRANTED and permission.terms is not None
                for series in permission.terms.subscribed_kva
            }
        if not sent:
            return
        powers = await patiently(self._source, self._source.subscribed_powers)
        present = {
            device: powers[StatisticId(device)] for device in sent if StatisticId(device) in powers
        }
        async with self._store.writing() as connection:
            has_changed = await Permissions(connection).note_subscribed(present)
        if has_changed:
            self._changes.notify()
