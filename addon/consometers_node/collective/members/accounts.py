"""Accounts of the collective's own XMPP server, for members who have none."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
import re
from typing import ClassVar

from ...quoalise.text import text
from ..errors import CollectiveFault

_SECONDS = 30
_LINK = re.compile(r"xmpp:\S+\?register;\S+")
_FAILED = text("The command that creates accounts gave no link: {said}")


class NoAccount(CollectiveFault):
    """The command that makes accounts made none."""

    condition: ClassVar[str] = "no-account"


async def invite(command: Sequence[str]) -> str:
    """Return the link of an invitation to an account, as a command prints it. Raises NoAccount."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
        )
    except OSError as fault:
        raise NoAccount(_FAILED.fill(said=fault.strerror)) from fault
    try:
        async with asyncio.timeout(_SECONDS):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        out, err = b"", b"timeout"
    link = _LINK.search(out.decode(errors="replace"))
    if process.returncode or link is None:
        reason = (err or out).decode(errors="replace").strip().partition("\n")[0]
        raise NoAccount(_FAILED.fill(said=reason))
    return link[0]
