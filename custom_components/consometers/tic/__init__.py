"""TIC, the protocol of the meter's customer output: bytes in, frozen values out.

Pure: no Home Assistant, no I/O, no clock. `Decoder` finds frames in bytes, `Meter` says what to
believe of them, `tariff` says what they mean for a bill; `CATALOGUE` holds every label once.
"""

from .catalogue import ADDRESS_LABELS, CATALOGUE, LABELS, Chars, Kind, Label
from .decoder import LINK_BAD_AFTER_S, Counters, Decoder, Frame, LinkIndicator, encode_frame
from .group import Group, Reason, Rejected, checksum, encode, parse
from .meter import MAX_POWER_W, Meter, Reading, energy_drawn_wh, registers_of_contract
from .tariff import Peak, Tariff, tariff
from .values import (
    PARIS,
    Address,
    Breaker,
    Colour,
    Contact,
    Euridis,
    Mode,
    PowerLine,
    Slot,
    Status,
    Value,
    address,
    horodate,
    schedule,
)

__all__ = [
    "ADDRESS_LABELS",
    "CATALOGUE",
    "LABELS",
    "LINK_BAD_AFTER_S",
    "MAX_POWER_W",
    "PARIS",
    "Address",
    "Breaker",
    "Chars",
    "Colour",
    "Contact",
    "Counters",
    "Decoder",
    "Euridis",
    "Frame",
    "Group",
    "Kind",
    "Label",
    "LinkIndicator",
    "Meter",
    "Mode",
    "Peak",
    "PowerLine",
    "Reading",
    "Reason",
    "Rejected",
    "Slot",
    "Status",
    "Tariff",
    "Value",
    "address",
    "checksum",
    "encode",
    "encode_frame",
    "energy_drawn_wh",
    "horodate",
    "parse",
    "registers_of_contract",
    "schedule",
    "tariff",
]
