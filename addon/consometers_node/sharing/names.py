"""What a household's series are named with: its secret, and its delivery point if it is told."""

import secrets

from ..quoalise.identifier import MIN_SECRET
from ..store import Store, settings
from ..store.settings import HOUSEHOLD_SECRET
from ..wire import DELIVERY_POINT_DIGITS, Naming

DELIVERY_POINT = "delivery-point"
"""Name of the secret that holds it."""


async def load_naming(store: Store) -> Naming:
    """Give how this household names its series: its secret is made when it is first needed."""
    async with store.writing() as connection:
        secret = await settings.secret_or_new(
            connection, HOUSEHOLD_SECRET, lambda: secrets.token_bytes(MIN_SECRET)
        )
        point = await settings.secret(connection, DELIVERY_POINT)
    return Naming(secret, point.decode() if point else None)


def is_delivery_point(typed: str) -> bool:
    """Tell whether this can be the number of a delivery point (PDL, PRM)."""
    return len(typed) == DELIVERY_POINT_DIGITS and typed.isascii() and typed.isdecimal()


async def keep_delivery_point(store: Store, point: str | None) -> None:
    """Keep the household's delivery point; None forgets it."""
    kept = None if point is None else point.encode()
    async with store.writing() as connection:
        await settings.set_secret(connection, DELIVERY_POINT, kept)
