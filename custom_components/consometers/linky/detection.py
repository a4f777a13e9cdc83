"""Listening to a chosen port, to find out what speaks there."""

import asyncio
from dataclasses import dataclass, field

from ..tic import Mode
from ..tic.link import Link, LinkError, LinkLost, open_link
from .state import LinkyState

GROUPS_NEEDED = 3
"""Good groups with known labels before a mode counts as found: noise makes one now and then."""

# How long to listen at a speed, and then to get to know the meter that was found there.
LISTEN_S = {Mode.STANDARD: 4.0, Mode.HISTORIQUE: 6.0}
IDENTIFY_S = 12.0
AGAIN_S = 1.0
"""After a port went away while it was listened to: a dongle just plugged in may come twice."""

_TEXT = bytes(range(0x20, 0x7F)) + b"\t\r\n"
_MOSTLY = 0.95
_HEARD_SIZE = 4096


class NoData(LinkError):
    """Nothing comes: the meter, the wires or the dongle's supply."""

    key = "no_data"


class Noise(LinkError):
    """What comes makes no sense at either speed: the dongle, its parity, or the wires."""

    key = "noise"


class NotTic(LinkError):
    """What comes is clean text, but not a meter's."""

    key = "not_tic"


@dataclass(frozen=True, slots=True)
class Found:
    """A detected meter. `unique_id` is its whole address, which is personal data."""

    mode: Mode
    unique_id: str
    of_production: bool
    state: LinkyState = field(repr=False)
    """All of its readings, with its registers."""


def masked(unique_id: str) -> str:
    """Return the end of a meter's address: enough to distinguish one's meters."""
    return f"…{unique_id[-4:]}"


def default_title(unique_id: str, *, of_production: bool) -> str:
    """Return the title of the entry of a meter, until a person chooses another."""
    return f"Linky {'production ' if of_production else ''}{masked(unique_id)}"


def title_after(title: str, former: str, now: str) -> str:
    """Return the title of an entry whose default title has changed. A chosen one stays."""
    return now if title == former else title


async def detect(device: str) -> Found:
    """Open a port, find speed and mode, and wait until the meter is known.

    Takes at most half a minute, once more where the port went away meanwhile. Raises LinkError,
    NoData, Noise or NotTic.
    """
    try:
        return await _detect(device)
    except LinkLost:
        await asyncio.sleep(AGAIN_S)
        return await _detect(device)


async def _detect(device: str) -> Found:
    heard = b""
    async with open_link(device, Mode.STANDARD) as link:
        for mode in (Mode.STANDARD, Mode.HISTORIQUE):
            await link.listen_for(mode)
            result = await _listen(link, LISTEN_S[mode])
            if isinstance(result, Found):
                return result
            heard += result
    raise _what_else(heard)


async def _listen(link: Link, listen_s: float) -> Found | bytes:
    """Return the meter that speaks at the speed of the link, else the first of what came."""
    clock = asyncio.get_running_loop().time
    state, heard, tuned = LinkyState(), b"", False
    until = clock() + listen_s
    while (left := until - clock()) > 0:
        if tuned and state.identified and state.registers_known:
            break
        data = await link.read(left)
        heard = (heard + data)[:_HEARD_SIZE]
        state.feed(data, clock())
        if not tuned and state.decoder.counters.groups >= GROUPS_NEEDED:
            tuned = True
            until = clock() + IDENTIFY_S
    return (_detected(state) if tuned else None) or heard


def _detected(state: LinkyState) -> Found | None:
    if state.mode is None or state.meter.address is None:
        return None
    return Found(
        mode=state.mode,
        unique_id=state.meter.address,
        of_production=bool(state.of_production),
        state=state,
    )


def _what_else(heard: bytes) -> LinkError:
    if not heard:
        return NoData()
    text = len(heard) - len(heard.translate(None, _TEXT))
    return NotTic() if text >= _MOSTLY * len(heard) else Noise()
