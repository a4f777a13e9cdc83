"""What the witnesses of a home's sums report as opened."""

from dataclasses import dataclass
import json

from consometers_node.store import PermissionId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.household.enrolments import StoredEnrolment, enrolments
from consometers_node.wire.witness_requests import OpeningsSummary


@dataclass(frozen=True, slots=True)
class Openings:
    """A permission at its witness, and its last answer, if there is one."""

    enrolment: StoredEnrolment
    summary: OpeningsSummary | None


async def all_openings(connection: AsyncConnection) -> dict[PermissionId, Openings]:
    """Return the opened sums, by permission."""
    openings = {}
    for permission_id, enrolment in (await enrolments(connection)).items():
        report = enrolment.summary
        summary = None if report is None else OpeningsSummary.read(json.loads(report))
        openings[permission_id] = Openings(enrolment, summary)
    return openings
