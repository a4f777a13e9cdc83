"""Requests to a witness, and its answers."""

from datetime import UTC, date, datetime

from consometers_node.series import Direction
from consometers_node.wire.witness_requests import EnrolmentRequest, OpeningsSummary
from consometers_protected_sums.heads import Head
from consometers_protected_sums.keys import DayKey

NOW = datetime(2026, 11, 29, 10, tzinfo=UTC)
SECRET = bytes(range(32))
KEY = DayKey(date(2026, 11, 29), SECRET)
CODE = "BCDFG-HJKLM-PRSTX-ZBCDF"
COLLECTIVE, PSEUDONYM = "coop@energies.example", "0b0f1c6e-96d5-4f0e-8f6a-0d4a1c2b3e4f"
HEAD = Head.of(SECRET, 41, bytes(32)).packed()
ENROLMENT = EnrolmentRequest(
    collective=COLLECTIVE,
    pseudonym=PSEUDONYM,
    need="sums",
    version=1,
    need_sha256="ab" * 32,
    minimum=10,
    directions=frozenset({Direction.CONSUMPTION, Direction.INJECTION}),
    day=KEY.day,
    key=SECRET,
    code=CODE,
    heads=(HEAD,),
)
SUMMARY = OpeningsSummary(
    enrolled_at=NOW,
    left_at=None,
    opened={Direction.CONSUMPTION: 720},
    least_homes=36,
    invalid=2,
    homes=40,
    head=HEAD,
)
