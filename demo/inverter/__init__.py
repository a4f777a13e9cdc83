"""A virtual SunSpec inverter: its measures as data, its register image, a port to read it from.

`Inverter` gives the registers at any second, `Image` is such registers or those of a real device,
`VirtualInverter` serves them over Modbus TCP or on a serial line, with what goes wrong on demand.
"""

from .faults import Faults, Night, Scales, State, Stranger, WireFaults
from .image import Image, ImageError
from .inverter import Inverter
from .profiles import PROFILES, Profile, String
from .virtual import VirtualInverter

__all__ = [
    "PROFILES",
    "Faults",
    "Image",
    "ImageError",
    "Inverter",
    "Night",
    "Profile",
    "Scales",
    "State",
    "Stranger",
    "String",
    "VirtualInverter",
    "WireFaults",
]
