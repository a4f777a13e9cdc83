"""A real Home Assistant, slim and on loopback only: for the demo, the tests, the benchmarks."""

from .api import Api, FlowStep, HassError, Issue, RegistryEntity, Socket, State, StatisticRow
from .folder import Language, Supervised, free_port
from .log import LogRecord
from .process import RESTART, Hass, HassDied

__all__ = [
    "RESTART",
    "Api",
    "FlowStep",
    "Hass",
    "HassDied",
    "HassError",
    "Issue",
    "Language",
    "LogRecord",
    "RegistryEntity",
    "Socket",
    "State",
    "StatisticRow",
    "Supervised",
    "free_port",
]
