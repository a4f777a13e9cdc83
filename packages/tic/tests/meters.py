"""Meters that were put in lately, so that nothing has to be added up for years."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache

from consometers_tic import Decoder, Frame, Group, Mode, encode_frame
from consometers_tic_virtual import Contract, Linky, Option
from consometers_tic_virtual.world import HOUSEHOLD, SCHOOL, World

ORIGIN = datetime(2026, 6, 1, tzinfo=UTC)
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
NIGHT = datetime(2026, 6, 10, 1, tzinfo=UTC)


@cache
def world(phases: int, origin: datetime = ORIGIN) -> World:
    return World(SCHOOL if phases == 3 else HOUSEHOLD, phases=phases, origin=origin)


def linky(
    mode: Mode = Mode.STANDARD,
    option: Option = Option.BASE,
    phases: int = 1,
    *,
    producer: bool = False,
    origin: datetime = ORIGIN,
) -> Linky:
    contract = Contract(option, 36 if phases == 3 else 9, phases, producer)
    return Linky(world(phases, origin), contract, mode=mode)


def unix(at: datetime) -> int:
    return int(at.timestamp())


def decoded(groups: tuple[Group, ...]) -> Frame:
    """Return what a receiver makes of a frame."""
    (frame,) = Decoder().feed(encode_frame(groups))
    return frame


def raws(meter: Linky, at: datetime) -> Mapping[str, str]:
    """Return the data of a frame by label."""
    return {group.label.name: group.raw for group in meter.frame(unix(at))}


def number_of(meter: Linky, at: datetime, name: str) -> int:
    return int(raws(meter, at)[name])
