"""All that is shared ends, and all records that the node holds go. The register stays as proof."""

from dataclasses import dataclass
from datetime import UTC, datetime

from ..permission import Permissions, Signature, State
from ..store import Store
from ..store.series import all_series, erase_series
from . import words


@dataclass(frozen=True, slots=True)
class Gone:
    """How much ended: permissions that were withdrawn, days of records that were erased."""

    permissions: int
    days: int


async def erase_all(store: Store, who: str, language: str) -> Gone:
    """Withdraw every permission, asking to erase, and erase the records that are here."""
    withdrawn = 0
    now = datetime.now(UTC)
    async with store.withdrawing() as connection:
        register = Permissions(connection)
        for one in await register.all():
            if one.state is State.GRANTED:
                shown = words.withdrawal(one.need, language, erase=True)
                await register.withdraw(one.id, Signature(who, shown), now)
                withdrawn += 1
    async with store.writing() as connection:
        days = await erase_series(connection, await all_series(connection))
    await store.shrink()
    return Gone(withdrawn, days)
