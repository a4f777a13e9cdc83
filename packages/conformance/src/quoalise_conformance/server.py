"""Tries a program that answers: asks it as a reader does, and judges each requirement."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from .checks.content import CONTENT
from .checks.federation import FEDERATED
from .checks.pushes import PUSHES
from .checks.requests import REQUESTS
from .peer import NotPermitted, Peer, Target
from .results import Finding, Result, result
from .session import stanzas
from .session.transport import Transport

CHECKS: Final[Mapping[str, Callable[[Peer], Awaitable[None]]]] = {
    number: check
    for checks in (REQUESTS, FEDERATED, PUSHES, CONTENT)
    for number, check in checks.by_number.items()
}
"""In the order in which they run: those of all content come last."""


async def try_server(transport: Transport, target: Target) -> dict[str, Result]:
    """Return the result of each check, by the number of its requirement.

    Raises `Absent` if nobody answers, and `NotPermitted` if the account may not read the series.
    """
    peer = Peer(transport, target)
    await peer.info()
    refused = stanzas.refusal(await peer.history(*peer.range()))
    if refused is not None and refused.condition == "not-authorized":
        raise NotPermitted
    results = {}
    for number, check in CHECKS.items():
        finding: Finding | None = None
        try:
            await check(peer)
        except Finding as raised:
            finding = raised
            if raised.stanza is not None:
                peer.offending.append(raised.stanza)
        results[number] = result(number, finding)
    return results
