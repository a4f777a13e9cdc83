"""A virtual Linky: the meter as data, its line, and a port to read it from.

`Linky` gives the groups of a frame at any second, `Line` the endless row of transmissions with
what goes wrong on the way, `VirtualLinky` brings them to a pseudo-terminal or a TCP port, and
`ThreadedLinky` does so without an event loop of the caller's. `world` is the home behind the meter,
`pytest_plugin` has fixtures.
"""

from .calendar import Calendar, Peak, Period
from .contract import Contract, Option
from .faults import Faults
from .line import Line, Transmission
from .linky import Identity, Linky
from .measures import Measures
from .registers import Registers
from .threaded import ThreadedLinky
from .virtual import VirtualLinky

__all__ = [
    "Calendar",
    "Contract",
    "Faults",
    "Identity",
    "Line",
    "Linky",
    "Measures",
    "Option",
    "Peak",
    "Period",
    "Registers",
    "ThreadedLinky",
    "Transmission",
    "VirtualLinky",
]
