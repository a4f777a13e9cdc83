"""Home Assistant as a source: its connection, its statistics, and the blocks that they make."""

from .absences import absence
from .backfill import Chunk, Source, catch_up, read_again, window
from .errors import Away, HomeAssistantFault, Refused, TooMuch, Unreadable, WrongToken
from .home_assistant import Access, HomeAssistant
from .poll_schedule import LoopClock, Rounds, event_type
from .reading import Flag, Reading
from .recorder import Recorder
from .statistics import Proposal, Statistic, StatisticId

__all__ = [
    "Access",
    "Away",
    "Chunk",
    "Flag",
    "HomeAssistant",
    "HomeAssistantFault",
    "LoopClock",
    "Proposal",
    "Reading",
    "Recorder",
    "Refused",
    "Rounds",
    "Source",
    "Statistic",
    "StatisticId",
    "TooMuch",
    "Unreadable",
    "WrongToken",
    "absence",
    "catch_up",
    "event_type",
    "read_again",
    "window",
]
