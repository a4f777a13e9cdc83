"""The requirements that no check tries, each with the reason."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Why a requirement cannot be seen from outside; a key of `words`."""

    SPECIFICATION = "unseen_specification"
    OPTIONAL = "unseen_optional"
    INSIDE = "unseen_inside"
    HOUSE = "unseen_house"
    TIME = "unseen_time"
    SERVERS = "unseen_servers"
    ALL = "unseen_all"
    GRANT = "unseen_grant"
    MEMBERS = "unseen_members"
    INVITATION = "unseen_invitation"
    SUMS = "unseen_sums"


_NUMBERS: Final = {
    Reason.SPECIFICATION: "Q-1 Q-3 Q-4",
    Reason.OPTIONAL: "Q-34 Q-76 Q-86 Q-87 F-20 F-21 F-51 F-59 F-106",
    Reason.INSIDE: (
        "Q-10 Q-21 Q-22 Q-23 Q-41 Q-44 Q-61 Q-70 Q-73 Q-88 Q-90 Q-92 Q-94 F-22 F-52 F-57 F-98 F-102"
        " F-103"
    ),
    Reason.HOUSE: "Q-14 Q-28 Q-69 F-54",
    Reason.TIME: "Q-52 Q-67 Q-68 Q-77 Q-95 F-38 F-39 F-49 F-58 F-60 F-107",
    Reason.SERVERS: "Q-64 Q-66 Q-75 Q-79 Q-80 Q-81 Q-84 Q-85 Q-89 Q-91 Q-96 Q-97 F-6",
    Reason.ALL: "F-2 F-36",
    Reason.GRANT: (
        "F-23 F-24 F-25 F-26 F-27 F-28 F-29 F-30 F-31 F-32 F-33 F-34 F-35 F-40 F-41 F-42 F-43"
        " F-44 F-45 F-47 F-69 F-70 F-99 F-100 F-104 F-105"
    ),
    Reason.MEMBERS: "F-16 F-65 F-66",
    Reason.INVITATION: "F-12 F-13 F-14",
    Reason.SUMS: " ".join(f"F-{number}" for number in range(71, 97)),
}

UNSEEN: Final[Mapping[str, Reason]] = {
    number: reason for reason, numbers in _NUMBERS.items() for number in numbers.split()
}
