"""Typed values of the meter's fields: times, addresses, status register, relays, schedules.

Every parser takes the text of a field as it was sent and gives a value, or `None` where the meter
says that there is none (a degraded clock, an unused field). None of them raises on printable text
of the right length and characters: that is checked before, from the catalogue.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from enum import StrEnum
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
_SEASONS = {"H": timezone(timedelta(hours=1)), "E": timezone(timedelta(hours=2)), " ": PARIS}


class Mode(StrEnum):
    """The two languages of the TIC output. A meter speaks one at a time."""

    HISTORIQUE = "historique"
    STANDARD = "standard"


class Colour(StrEnum):
    """Colour of a Tempo day."""

    BLUE = "blue"
    WHITE = "white"
    RED = "red"


class Breaker(StrEnum):
    """State of the cut-off device, in the order of its code in the status register."""

    CLOSED = "closed"
    OVERPOWER = "open_overpower"
    OVERVOLTAGE = "open_overvoltage"
    LOAD_SHEDDING = "open_load_shedding"
    REMOTE_ORDER = "open_remote_order"
    OVERHEAT_ABOVE = "open_overheat_above_max"
    OVERHEAT_BELOW = "open_overheat_below_max"


class Euridis(StrEnum):
    """State of the Euridis output."""

    OFF = "off"
    ON = "on"
    ON_SECURE = "on_secure"


class PowerLine(StrEnum):
    """State of the meter's link to its distributor over the power line (CPL)."""

    NEW_UNLOCK = "new_unlock"
    NEW_LOCK = "new_lock"
    REGISTERED = "registered"


class Contact(StrEnum):
    """The action of a schedule's slot on the dry contact."""

    UNCHANGED = "unchanged"
    TEMPO = "tempo"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Address:
    """The facts in the 12 digits of a meter's address. Source: Enedis-NOI-CPT_54E §2.2.

    `maker` is the maker's name, or its code where we know no name; `phases` is 1, 3 or None.
    """

    maker: str
    year: int
    type: str
    serial: str
    phases: int | None


@dataclass(frozen=True, slots=True)
class Status:
    """The status register STGE, every field of it. Source: Enedis-NOI-CPT_54E §6.2.3.14."""

    contact_open: bool
    breaker: Breaker | None
    cover_open: bool
    overvoltage: bool
    over_reference_power: bool
    producer: bool
    injecting: bool
    supplier_index: int
    distributor_index: int
    clock_degraded: bool
    output: Mode
    euridis: Euridis | None
    power_line: PowerLine | None
    power_line_synchronised: bool
    colour_today: Colour | None
    colour_tomorrow: Colour | None
    peak_notice: int
    """Number of the mobile peak that is announced, 1 to 3; 0 for none."""
    peak_now: int
    """Number of the mobile peak in progress, 1 to 3; 0 for none."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot of a day's schedule: from `start` (legal local time) until the next slot.

    `virtual_contacts` are the numbers, 1 to 7, of the virtual contacts that are closed;
    `index` is the supplier's index in use, or None where the slot leaves it as it was.
    """

    start: time
    contact: Contact
    virtual_contacts: tuple[int, ...]
    index: int | None


type Schedule = tuple[Slot, ...]
type Value = int | str | datetime | Address | Status | Schedule | frozenset[int] | None

# The list of makers that Euridis keeps, under the names that people know.
_MAKERS = {
    "01": "Crouzet",
    "02": "Sagemcom",
    "03": "Itron",
    "04": "Landis+Gyr",
    "05": "Sauter",
    "06": "Itron",
    "07": "Maec",
    "08": "Enerdis",
    "09": "Faure-Herman",
    "10": "Sevme",
    "11": "Elster",
    "14": "Dialog",
    "15": "Mecelec",
    "16": "Legrand",
    "18": "Schneider",
    "21": "SCLE",
    "27": "Iskraemeco",
    "30": "Michaud",
    "34": "Elster",
    "39": "Ziv",
}
_PHASES = {
    **dict.fromkeys(("61", "62", "64", "67", "70", "75"), 1),
    **dict.fromkeys(("63", "68", "71", "76"), 3),
}
_BREAKER = tuple(Breaker)
_EURIDIS = {0b00: Euridis.OFF, 0b01: Euridis.ON, 0b11: Euridis.ON_SECURE}
_POWER_LINE = {0b00: PowerLine.NEW_UNLOCK, 0b01: PowerLine.NEW_LOCK, 0b10: PowerLine.REGISTERED}
_COLOURS = (None, Colour.BLUE, Colour.WHITE, Colour.RED)
_CONTACTS = tuple(Contact)
_BLOCKS, _UNUSED_SLOT = 11, "NONUTILE"
_SUPPLIER_INDEXES = range(1, 11)


def horodate(raw: str) -> datetime | None:
    """Read `SYYMMDDhhmmss`: an aware datetime, or None if the clock is degraded or the date void.

    The season letter gives the offset (H: UTC+1, E: UTC+2), so that the doubled hour of October
    is never in doubt; a space stands for the legal time of France. In lower case the meter does
    not trust its own clock. Source: Enedis-NOI-CPT_54E §6.2.1.1.
    """
    zone = _SEASONS.get(raw[0])
    if zone is None:
        return None
    try:
        year, month, day, hour, minute, second = (int(raw[i : i + 2]) for i in range(1, 13, 2))
        return datetime(2000 + year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None


def address(data: str) -> Address:
    """Read ADSC or ADCO: maker (2 digits), year (2), type (2), serial (6)."""
    maker, year, kind, serial = data[:2], int(data[2:4]), data[4:6], data[6:]
    return Address(
        maker=_MAKERS.get(maker, maker),
        # The first electronic meters are of the 1990s.
        year=year + (1900 if year >= 90 else 2000),
        type=kind,
        serial=serial,
        phases=_PHASES.get(kind),
    )


def status(data: str) -> Status:
    """Read STGE, 8 hexadecimal digits."""
    word = int(data, 16)

    def bits(first: int, count: int = 1) -> int:
        return (word >> first) & ((1 << count) - 1)

    breaker = bits(1, 3)
    return Status(
        contact_open=bool(bits(0)),
        breaker=_BREAKER[breaker] if breaker < len(_BREAKER) else None,
        cover_open=bool(bits(4)),
        overvoltage=bool(bits(6)),
        over_reference_power=bool(bits(7)),
        producer=bool(bits(8)),
        injecting=bool(bits(9)),
        supplier_index=bits(10, 4) + 1,
        distributor_index=bits(14, 2) + 1,
        clock_degraded=bool(bits(16)),
        output=Mode.STANDARD if bits(17) else Mode.HISTORIQUE,
        euridis=_EURIDIS.get(bits(19, 2)),
        power_line=_POWER_LINE.get(bits(21, 2)),
        power_line_synchronised=bool(bits(23)),
        colour_today=_COLOURS[bits(24, 2)],
        colour_tomorrow=_COLOURS[bits(26, 2)],
        peak_notice=bits(28, 2),
        peak_now=bits(30, 2),
    )


def relays(data: str) -> frozenset[int] | None:
    """Read RELAIS, a decimal byte: the numbers (1 to 8) of the relays that are closed.

    Relay 1 is the dry contact of the meter, 2 to 8 are virtual.
    """
    word = int(data)
    return frozenset(n for n in range(1, 9) if word >> (n - 1) & 1) if word <= 0xFF else None


def schedule(data: str) -> Schedule | None:
    """Read PJOURF+1 or PPOINTE: 11 blocks of `HHMMSSSS`; None if one of them makes no sense.

    Source: Enedis-NOI-CPT_54E §6.2.3.
    """
    blocks = data.split(" ")
    slots = [_slot(block) for block in blocks if block != _UNUSED_SLOT]
    if len(blocks) != _BLOCKS or None in slots:
        return None
    return tuple(slot for slot in slots if slot is not None)


def _slot(block: str) -> Slot | None:
    if len(block) != len(_UNUSED_SLOT):
        return None
    try:
        start = time(int(block[:2]), int(block[2:4]))
        action = int(block[4:8], 16)
    except ValueError:
        return None
    index = action & 0xF
    return Slot(
        start=start,
        contact=_CONTACTS[action >> 14],
        virtual_contacts=tuple(n for n in range(1, 8) if action >> (n + 3) & 1),
        index=index if index in _SUPPLIER_INDEXES else None,
    )


def missing_phases(data: str) -> frozenset[int]:
    """Read PPOT, two hexadecimal digits: the numbers of the phases without voltage."""
    word = int(data, 16)
    return frozenset(n for n in (1, 2, 3) if word >> n & 1)
