"""What the witnesses of a home's sums report as opened."""

from dataclasses import dataclass
import json

from ..protected_sums.requests import OpeningsSummary
from ..quoalise import Text
from ..quoalise.protected_sums import Refusal
from ..quoalise.text import text, verbatim
from ..store import PermissionId
from ..store.connection import AsyncConnection
from ..store.enrolments import StoredEnrolment, enrolments

_REASONS = {
    Refusal.NOT_ENROLLED: text("this home was not enrolled"),
    Refusal.REPEATED: text("this home was named twice"),
    Refusal.TOO_FEW: text("fewer homes than promised"),
    Refusal.KEY_FORGOTTEN: text("too late: the key was erased"),
    Refusal.OPENED_BEFORE: text("opened before"),
    Refusal.INVALID: text("this home’s report was invalid: update this node"),
    Refusal.IMPLAUSIBLE: text("the collective added up wrongly"),
    Refusal.DOMINANCE: text("one home or two dominate"),
}


@dataclass(frozen=True, slots=True)
class Openings:
    """A permission at its witness, and its last answer, if there is one."""

    enrolment: StoredEnrolment
    summary: OpeningsSummary | None

    @property
    def refused_hours(self) -> int:
        """How many hours the witness has not opened."""
        return 0 if self.summary is None else sum(self.summary.refused.values())

    @property
    def reasons(self) -> list[tuple[Text, int]]:
        """The reasons, with the number of hours of each."""
        refused = {} if self.summary is None else self.summary.refused
        return [
            (_REASONS[Refusal(reason)] if reason in Refusal else verbatim(reason), hours)
            for reason, hours in sorted(refused.items())
            if hours
        ]


async def all_openings(connection: AsyncConnection) -> dict[PermissionId, Openings]:
    """Return the opened sums, by permission."""
    openings = {}
    for permission_id, enrolment in (await enrolments(connection)).items():
        report = enrolment.summary
        summary = None if report is None else OpeningsSummary.read(json.loads(report))
        openings[permission_id] = Openings(enrolment, summary)
    return openings
