"""Settings, and the secrets that no export, page, log or diagnostic may hold."""

from collections.abc import Callable

from sqlalchemy import bindparam, delete, select

from .engine import upsert
from .engine.connection import AsyncConnection
from .tables import SecretRow, SettingRow

HOUSEHOLD_SECRET = "household"  # noqa: S105  # its name
"""The key of pseudonyms: it never changes, or a collective meets a stranger."""
DISCLOSURE_SECRET = "disclosure"  # noqa: S105  # its name
"""A collective's key of the confidential parameter of its disclosure control: it never changes."""
WITNESS_SECRET = "witness"  # noqa: S105  # its name
"""A witness's key of its confidential bound of dominance: it never changes."""
VERIFICATION_SECRET = "verification.{witness}"  # noqa: S105  # its name
"""A collective's key by which it and a witness (bare JID) verify reports: it never changes.

It is made when a data need names the witness, so that no report comes before it.
"""

_SETTING = select(SettingRow.value).where(SettingRow.key == bindparam("key"))


async def setting(connection: AsyncConnection, key: str) -> str | None:
    """Return a setting, if it is set."""
    return (await connection.execute(_SETTING, {"key": key})).scalar_one_or_none()


async def settings_like(connection: AsyncConnection, prefix: str) -> dict[str, str]:
    """Return the settings whose key begins so."""
    query = select(SettingRow.key, SettingRow.value).where(SettingRow.key.startswith(prefix))
    return dict((await connection.execute(query)).tuples().all())


async def set_setting(connection: AsyncConnection, key: str, value: str | None) -> None:
    """Store a setting; None forgets it."""
    if value is None:
        await connection.execute(delete(SettingRow).where(SettingRow.key == key))
    else:
        await upsert.put(connection, SettingRow, [{"key": key, "value": value}])


async def secret(connection: AsyncConnection, name: str) -> bytes | None:
    """Return a secret, if there is one."""
    query = select(SecretRow.value).where(SecretRow.name == name)
    return (await connection.execute(query)).scalar_one_or_none()


async def secret_or_new(connection: AsyncConnection, name: str, make: Callable[[], bytes]) -> bytes:
    """Return a secret, made when it is first asked for: by one of two programs that ask at once."""
    value = await secret(connection, name)
    if value is None:
        new = upsert.insert(connection, SecretRow).values(name=name, value=make())
        await connection.execute(new.on_conflict_do_nothing())
        value = await secret(connection, name)
        assert value is not None
    return value


async def set_secret(connection: AsyncConnection, name: str, value: bytes | None) -> None:
    """Store a secret in place of the former one; None forgets it."""
    if value is None:
        await connection.execute(delete(SecretRow).where(SecretRow.name == name))
    else:
        await upsert.put(connection, SecretRow, [{"name": name, "value": value}])
