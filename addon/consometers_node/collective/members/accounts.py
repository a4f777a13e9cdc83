"""Accounts of the collective's own XMPP server, for members who have none."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
import logging
import re

from sqlalchemy import select

from consometers_node.collective.errors import CollectiveFault
from consometers_node.i18n.text import Text, text
from consometers_node.store import Store
from consometers_node.store.clock import Confirmed
from consometers_node.store.collective.access_log import Read, note_read
from consometers_node.store.collective.tables import MemberRow
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.settings import set_setting, settings_like

NODE = "node"
"""The actor in the access log of what nobody did in person."""

_SECONDS = 30
_LINK = re.compile(r"xmpp:\S+\?register;\S+")
_REMOVAL = "account removal "
"""A setting for each account to remove: its address in the key, the last problem in the value."""

_LOGGER = logging.getLogger(__name__)


class NoAccount(CollectiveFault):
    """The command that makes accounts failed."""

    condition = "no-account"
    words = text("The command that creates accounts gave no link: {said}")


class NotRemoved(CollectiveFault):
    """The command that removes accounts failed."""

    condition = "account-not-removed"
    words = text("The command that removes accounts failed: {said}")


class NotHere(CollectiveFault):
    """An account cannot be removed from here."""

    words = text(
        "Only accounts of the collective’s own server can be removed, by"
        " xmpp.account_removal_command in the settings file."
    )


class OfMember(CollectiveFault):
    """A member uses the account to be removed."""

    words = text("This is the account of a member: erase the member first.")


async def invite(command: Sequence[str]) -> str:
    """Return the link of an invitation to an account, as a command prints it. Raises NoAccount."""
    succeeded, printed = await _run(command)
    link = _LINK.search(printed)
    if not succeeded or link is None:
        raise NoAccount(said=_first_line(printed))
    return link[0]


async def remove(command: Sequence[str], address: str) -> None:
    """Remove an account by a command that takes its address last. Raises NotRemoved."""
    succeeded, printed = await _run([*command, address])
    if not succeeded:
        raise NotRemoved(said=_first_line(printed))


async def order_removal(connection: AsyncConnection, address: str) -> None:
    """Store that an account is to be removed, once its member is forgotten."""
    await set_setting(connection, f"{_REMOVAL}{address}", "")


async def removal_problems(connection: AsyncConnection) -> list[Text]:
    """Return the problem of each account whose removal failed."""
    orders = await settings_like(connection, _REMOVAL)
    return [NotRemoved(said=problem).text for problem in orders.values() if problem]


async def remove_ordered(store: Store, command: Sequence[str], at: Confirmed) -> int:
    """Remove the accounts of members that are forgotten by now; return how many.

    A member's node is notified through its account, which therefore outlives the erasure. An
    account whose owner has joined again stays.
    """
    if not command:
        return 0
    removed = 0
    async with store.reading() as connection:
        orders = await settings_like(connection, _REMOVAL)
    for key, problem in orders.items():
        address = key.removeprefix(_REMOVAL)
        async with store.writing() as connection:
            owner = select(MemberRow.left_at).where(MemberRow.jid == address)
            members = (await connection.execute(owner)).scalars().all()
            if None in members:
                await set_setting(connection, key, None)
        if members:
            continue
        succeeded, printed = await _run([*command, address])
        async with store.writing() as connection:
            if succeeded:
                removed += 1
                await set_setting(connection, key, None)
                await note_read(connection, Read(at=at, who=NODE, what="account removed"))
            elif (reason := _first_line(printed)) != problem:
                _LOGGER.warning(NotRemoved(said=reason).text)
                await set_setting(connection, key, reason)
    return removed


async def _run(command: Sequence[str]) -> tuple[bool, str]:
    """Run a command. Return whether it succeeded, and what it printed: errors if there are any."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
        )
    except OSError as fault:
        return False, fault.strerror or str(fault)
    try:
        async with asyncio.timeout(_SECONDS):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return False, "timeout"
    succeeded = process.returncode == 0
    return succeeded, (out if succeeded else err or out).decode(errors="replace")


def _first_line(printed: str) -> str:
    return printed.strip().partition("\n")[0]
