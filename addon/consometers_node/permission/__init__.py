"""Permissions: the request, the answer, and the register that proves both.

The rules are pure (`need`, `states`, `terms`); `Permissions` keeps them in a database that refuses
by itself what they refuse.
"""

from consometers_quoalise import Identification, Reading, State

from .errors import (
    BadNeed,
    ChangedNeed,
    CountedTwice,
    ForbiddenChange,
    NotNarrower,
    OutdatedNeed,
    PermissionFault,
    SumRefused,
    UnknownPermission,
    WrongClock,
)
from .need import DataNeed, DataNeedSeries
from .register import Notice, NoticeReceipt, Permission, Permissions, Permitted, RegisterEntry
from .states import FOLLOWING, Actor
from .terms import Choice, ShownText, Signature, Terms, narrow, subscribed

__all__ = [
    "FOLLOWING",
    "Actor",
    "BadNeed",
    "ChangedNeed",
    "Choice",
    "CountedTwice",
    "DataNeed",
    "DataNeedSeries",
    "ForbiddenChange",
    "Identification",
    "NotNarrower",
    "Notice",
    "NoticeReceipt",
    "OutdatedNeed",
    "Permission",
    "PermissionFault",
    "Permissions",
    "Permitted",
    "Reading",
    "RegisterEntry",
    "ShownText",
    "Signature",
    "State",
    "SumRefused",
    "Terms",
    "UnknownPermission",
    "WrongClock",
    "narrow",
    "subscribed",
]
