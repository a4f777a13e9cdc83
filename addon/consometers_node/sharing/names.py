"""How a node's series are named.

A household has a secret, and its delivery point if it has said so; a collective its own name.
"""

import secrets

from consometers_node.i18n.text import TranslatedError, text
from consometers_node.store import Store, settings
from consometers_node.store.settings import HOUSEHOLD_SECRET
from consometers_node.wire import DELIVERY_POINT_DIGITS, Naming
from consometers_quoalise.records.identifier import MIN_SECRET, organisation

DELIVERY_POINT = "delivery-point"
"""The secret's name in the database."""
COLLECTIVE = "collective"
"""The setting with the name of a collective in the federation. A household has none."""

_OTHER = text(
    "This database belongs to the collective “{kept}”, but collective.toml has the "
    "identifier “{name}”. An identifier never changes: sums are named, allowed and "
    'erased by it. Restore identifier = "{kept}" there, or use another database.'
)


class OtherCollective(TranslatedError):
    """A database is of another collective; `text` says what to do."""

    def __init__(self, stored: str, name: str) -> None:
        super().__init__(_OTHER, kept=stored, name=name)


async def load_naming(store: Store) -> Naming:
    """Return the naming of this node's series: its secret is made when it is first needed."""
    async with store.writing() as connection:
        secret = await settings.secret_or_new(
            connection, HOUSEHOLD_SECRET, lambda: secrets.token_bytes(MIN_SECRET)
        )
        point = await settings.secret(connection, DELIVERY_POINT)
        collective = await settings.setting(connection, COLLECTIVE)
    return Naming(secret, point.decode() if point else None, collective)


async def keep_collective(store: Store, name: str) -> None:
    """Store the name of this collective. Raises OtherCollective if it had another one.

    Raises `Malformed` on one that no device can have.
    """
    organisation(name)
    async with store.reading() as connection:
        stored = await settings.setting(connection, COLLECTIVE)
    if stored == name:
        return
    if stored is not None:
        raise OtherCollective(stored, name)
    async with store.writing() as connection:
        await settings.set_setting(connection, COLLECTIVE, name)


def is_delivery_point(typed: str) -> bool:
    """Return whether this can be the number of a delivery point (PDL, PRM)."""
    return len(typed) == DELIVERY_POINT_DIGITS and typed.isascii() and typed.isdecimal()


async def keep_delivery_point(store: Store, point: str | None) -> None:
    """Store the household's delivery point; None forgets it."""
    async with store.writing() as connection:
        secret = None if point is None else point.encode()
        await settings.set_secret(connection, DELIVERY_POINT, secret)
