"""The sun over Lorient, and the buildings that live under it: power, and exact energy.

Everything is a function of time and of a seed. Power is in W, energy in whole Wh.
"""

from .flows import ORIGIN, SEGMENT_S, Energy, Segment, World
from .site import HOUSEHOLD, PANELS, SCHOOL, Site

__all__ = [
    "HOUSEHOLD",
    "ORIGIN",
    "PANELS",
    "SCHOOL",
    "SEGMENT_S",
    "Energy",
    "Segment",
    "Site",
    "World",
]
