"""Errors of a permission. Pages say them in the person's language, by the class."""

from consometers_node.i18n.text import TranslatedError
from consometers_quoalise import State


class PermissionFault(Exception):
    """A permission does not allow something."""


class BadNeed(PermissionFault):
    """A data need lacks something, or asks for something forbidden. `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class ChangedNeed(PermissionFault):
    """A data need changed under the same version, or an older one came."""

    def __init__(self, need: str, version: int) -> None:
        super().__init__(f"data need {need} changed, but {version} is not a newer version")


class OutdatedNeed(PermissionFault):
    """A newer version of the data need has come, and must be answered instead."""


class UnknownPermission(PermissionFault):
    """There is no such permission."""


class ForbiddenChange(PermissionFault):
    """A permission cannot change from this state to the other one."""

    def __init__(self, before: State, after: State) -> None:
        super().__init__(f"a permission that is {before} cannot become {after}")
        self.before = before
        self.after = after


class WrongClock(TranslatedError, PermissionFault):
    """Nothing is granted by a wrong clock: the permission would be of another year."""


class SumRefused(TranslatedError, PermissionFault):
    """This cannot be allowed of a request for sums, or beside one. `text` says why."""


class NotNarrower(PermissionFault):
    """A choice exceeds the request; `field` names where."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field}: a permission only narrows what was asked")
        self.field = field


class CountedTwice(PermissionFault):
    """Both the sum of all members and that of `device` were chosen: its homes are in both."""

    def __init__(self, device: str) -> None:
        super().__init__(f"{device}: the sum of all members has its homes already")
        self.device = device
