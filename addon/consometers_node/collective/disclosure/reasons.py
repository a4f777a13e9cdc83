"""Why a figure is not published: each reason once, with its words and who may read them. Pure.

Pages, open data and their description, files, metrics, the administration, the command line and the
Zabbix templates derive from this table.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Self

from consometers_node.i18n.text import UNSAID, Text, text


class _Row(NamedTuple):
    """A reason: its code, for programs; and its words, for people."""

    code: str
    anybody: Text | None = None
    """What anybody reads; None where administrators alone may know the reason."""
    administrators: Text | None = None
    """Its name in lists of intervals; None where an interval never lacks its sum for it."""
    remedy: Text | None = None
    """What administrators can do about such intervals, if anything."""


class Reason(StrEnum):
    """Why a figure is not published."""

    short: Text
    """What administrators read."""
    anybody: Text | None
    """What anybody reads; None where administrators alone may know the reason."""
    remedy: Text | None
    """What administrators can do about it, if anything."""
    of_intervals: bool
    """Whether an interval may lack its sum for it."""

    def __new__(
        cls,
        code: str,
        anybody: Text | None = None,
        administrators: Text | None = None,
        remedy: Text | None = None,
    ) -> Self:
        """Return the reason of a row."""
        reason = str.__new__(cls, code)
        reason._value_ = code
        reason.short, *_ = filter(None, (administrators, anybody))
        reason.anybody, reason.remedy = anybody, remedy
        reason.of_intervals = administrators is not None
        return reason

    NOT_YET = _Row(
        "not-yet",
        anybody=text("not published yet"),
        administrators=text("not closed yet"),
    )
    BELOW_THRESHOLD = _Row(
        "below-threshold",
        anybody=text("not published: fewer than {need} homes, or a few of them make most of it"),
        administrators=text("too few homes"),
        remedy=text("Too few homes reported: see the list of members, or invite more homes."),
    )
    MAY_FOLLOW = _Row(
        "may-follow",
        anybody=text(
            "not published: fewer than {need} homes, or a few of them make most of it; homes in"
            " protected sums may still follow"
        ),
    )
    """As below the threshold, while a witness may still open protected sums: whether it was asked
    for this one is the administrators' alone."""
    DOMINANCE = _Row(
        "dominance",
        administrators=text("a few homes make most of it"),
        remedy=text("A few homes make most of it: with more homes, it can be published."),
    )
    """By the p % rule, one home or two; or all others are zero (`NOT_ZERO` of the rules)."""
    NEVER = _Row(
        "never",
        anybody=text(
            "not published: a figure of so short a time never is, whatever the number of homes"
        ),
        administrators=text("too short a time for the law"),
        remedy=text(
            "By law, intervals this short are never published: choose a coarser resolution."
        ),
    )
    NOT_OPENED = _Row(
        "not-opened",
        administrators=text("not opened by the witness"),
        remedy=text("The witness did not open the protected sums: its page gives the reasons."),
    )
    """The witness of a protected sum refused it, or did not answer in time."""
    TOGETHER = _Row(
        "together", anybody=text("not published by itself: with other communes, or not at all")
    )
    """It is of a commune whose intervals are published with others, as one figure, if at all."""
    INCOMPARABLE = _Row(
        "incomparable",
        anybody=text(
            "not computed: its energies do not cover the same homes, or contradict each other"
        ),
    )
    """The energies that a figure takes are not of the same homes, or contradict each other."""

    @property
    def public(self) -> Reason:
        """The reason that anybody reads.

        Which rule suppressed a cell would itself disclose something about its homes.
        """
        return Reason.BELOW_THRESHOLD if self.anybody is None else self


PUBLIC_REASONS = tuple(reason for reason in Reason if reason.public is reason)
"""Those that anybody may read."""
INTERVAL_REASONS = tuple(reason for reason in Reason if reason.of_intervals)
"""Those for which an interval may lack its sum, as administrators read them."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """A figure that is not published, and why, as anybody may read it; it takes `need` homes."""

    reason: Reason
    need: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", self.reason.public)

    @property
    def words(self) -> Text:
        return (self.reason.anybody or UNSAID).fill(need=self.need)
