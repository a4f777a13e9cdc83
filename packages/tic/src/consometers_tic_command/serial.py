"""A serial port or URL at either speed of a meter, and why it cannot be read."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import cycle
from time import monotonic

from consometers_tic import Counters, Mode
from consometers_tic.link import (
    SPEEDS,
    Link,
    LinkError,
    LinkLost,
    NoSuchPort,
    PortBusy,
    open_link,
)

from .source import WAIT_S
from .words import Language, say

GROUPS_NEEDED = 3
"""Good groups before a speed counts as found: noise makes one now and then."""
PATIENCE_S = {Mode.STANDARD: 4.0, Mode.HISTORIQUE: 6.0}
"""How long to wait for them before the other speed is tried."""
INTERRUPTION_S = 15.0
"""How long a meter that was heard may be silent, while it is read or programmed."""

_KEYS: tuple[tuple[type[BaseException], str], ...] = (
    (PermissionError, "not_allowed"),
    (IsADirectoryError, "a_folder"),
    (FileNotFoundError, "no_such_file"),
    (NoSuchPort, "no_such_port"),
    (PortBusy, "port_busy"),
    (LinkLost, "link_lost"),
)


@asynccontextmanager
async def open_serial(device: str, mode: Mode | None) -> AsyncIterator[SerialSource]:
    """Open a device's path or URL. Without a mode both speeds are tried. Raises LinkError."""
    modes = (Mode.STANDARD, Mode.HISTORIQUE) if mode is None else (mode,)
    async with open_link(device, modes[0]) as link:
        # A TCP port has no speed.
        yield SerialSource(link, modes, has_speed=not device.startswith("socket://"))


class SerialSource:
    """An open port, heard at each mode's speed in turn until one of them makes sense."""

    live = True

    def __init__(self, link: Link, modes: Sequence[Mode], *, has_speed: bool) -> None:
        """Take a link that is open at the speed of the first of the modes."""
        self._link = link
        self._modes = cycle(modes)
        self._mode = next(self._modes)
        self._tunes = has_speed and len(modes) > 1
        self._has_speed = has_speed

    @property
    def baud(self) -> int | None:
        """The speed of the port, if it has one."""
        return SPEEDS[self._mode] if self._has_speed else None

    async def chunks(self, counters: Counters) -> AsyncIterator[bytes]:
        """Yield what comes, for ever. Raises LinkLost."""
        since, groups, patience_s = monotonic(), counters.groups, PATIENCE_S[self._mode]
        while True:
            yield await self._link.read(WAIT_S)
            if counters.groups - groups >= GROUPS_NEEDED:
                since, groups, patience_s = monotonic(), counters.groups, INTERRUPTION_S
            elif self._tunes and monotonic() - since > patience_s:
                self._mode = next(self._modes)
                await self._link.listen_for(self._mode)
                since, groups, patience_s = monotonic(), counters.groups, PATIENCE_S[self._mode]


def complaint(error: OSError | LinkError, name: str, language: Language) -> str:
    """Return why a source cannot be read, and what to do about it."""
    cause = error.__cause__ or error if isinstance(error, LinkError) else error
    for kind, key in _KEYS:
        if isinstance(error, kind) or (kind is PermissionError and isinstance(cause, kind)):
            return say(key, language, source=name)
    return say("cannot_open", language, source=name, cause=str(cause) or type(cause).__name__)
