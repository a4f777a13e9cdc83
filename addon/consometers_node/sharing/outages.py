"""Restarts a node's work once its database can be used again."""

import asyncio
from collections.abc import Awaitable, Callable
import logging
from typing import NoReturn

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from consometers_node.i18n.text import Text

_LOGGER = logging.getLogger(__name__)


class Outages:
    """Runs a node's work repeatedly.

    `problem` is what stopped it, until `over`.
    """

    def __init__(self, words: Callable[[DBAPIError], Text], pause_s: float) -> None:
        self.problem: Text | None = None
        self._words = words
        self._pause_s = pause_s

    def over(self) -> None:
        """Note that the database is back."""
        self.problem = None

    async def survive(self, work: Callable[[], Awaitable[NoReturn]]) -> NoReturn:
        """Work until cancelled. Raises errors other than the database's."""
        while True:
            try:
                await work()
            except* (InterfaceError, OperationalError) as faults:
                self.problem = self._words(_first(faults))
                _LOGGER.warning(self.problem)
            await asyncio.sleep(self._pause_s)


def _first(faults: BaseExceptionGroup[DBAPIError]) -> DBAPIError:
    first: DBAPIError | BaseExceptionGroup[DBAPIError] = faults
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
