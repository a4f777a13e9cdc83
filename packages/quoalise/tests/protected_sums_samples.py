"""Messages of protected sums: whole, broken, and as large as they may be."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import UUID
from xml.etree.ElementTree import Element

from consometers_protected_sums.exchange import (
    MASKED_BYTES,
    Group,
    MaskedSum,
    OpenedSum,
    Part,
    Refusal,
    RefusedHomes,
    RefusedSum,
)
from consometers_quoalise import (
    Direction,
    MaskedReport,
    Opened,
    Opening,
    Problem,
    Reports,
    VerificationRequest,
    Verified,
)
from consometers_quoalise.federation import protected_sums
from consometers_quoalise.federation.protected_sums import (
    GROUPS_IN_PART,
    HOMES_IN_PART,
    MAX_REPORTS,
)

from .samples import Edit, edited

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
TODAY = date(2026, 11, 29)
PERMISSION = "2f6c1f0a-52b7-4c39-9d0e-6a1b5f8e7c3d"
ROWS = tuple(
    MaskedReport(NOON + timedelta(hours=n), bytes(16), bytes([n] * MASKED_BYTES)) for n in range(3)
)
ROW = 4 + 16 + MASKED_BYTES
SENT = Reports(permission=PERMISSION, direction=Direction.CONSUMPTION, day=TODAY, reports=ROWS)
ASKED = VerificationRequest(
    id=PERMISSION,
    verification_key=bytes(range(32)),
    direction=Direction.INJECTION,
    hour=NOON,
    part=1,
    parts=1,
    groups=(Group("3", (Part(PERMISSION, TODAY, bytes(16), bytes(32)),)),),
)
OPENING = Opening(id=PERMISSION, part=1, parts=1, sums=(MaskedSum("3", 1, 2),))
_HOMES = tuple(Part(str(UUID(int=n)), TODAY, bytes(16), bytes(32)) for n in range(HOMES_IN_PART))
LARGEST_REPORTS = replace(
    SENT,
    reports=tuple(ROWS[0]._replace(hour=NOON + timedelta(hours=n)) for n in range(MAX_REPORTS)),
)
LARGEST_VERIFICATION = replace(
    ASKED,
    groups=tuple(
        Group(str(n), _HOMES[3 * n : 3 * n + 3] if n else (*_HOMES[:3], *_HOMES[600:]))
        for n in range(GROUPS_IN_PART)
    ),
)
LARGEST_OPENING = replace(
    OPENING, sums=tuple(MaskedSum(str(n), 2**64 - 1, 0) for n in range(GROUPS_IN_PART))
)
"""See `xmpp.test_protected_sums`: they fit into a message."""
ANSWER = Opened(
    id=PERMISSION,
    part=1,
    parts=1,
    answers=(
        OpenedSum(frozenset({"3"}), 12, 3_456),
        RefusedSum(frozenset({"4"}), Refusal.DOMINANCE),
    ),
)
VERIFIED = Verified(
    id=PERMISSION,
    part=1,
    parts=1,
    refused=(RefusedHomes(Refusal.TOO_FEW, frozenset({PERMISSION})),),
)


def rows(change: Callable[[bytes], bytes]) -> Edit:
    """Return a change of the rows in an element, or else in its first child."""

    def change_rows(sent: Element) -> None:
        holder = sent if sent.text else sent[0]
        holder.text = b64encode(change(b64decode(holder.text or ""))).decode()

    return change_rows


def too_many_homes(sent: Element) -> None:
    rows(lambda row: row * HOMES_IN_PART)(sent)
    sent.append(protected_sums.write_verification(ASKED)[0])


BROKEN_REPORTS: list[tuple[Problem, str, Edit]] = [
    (Problem.NOT_A_UUID, "@permission", lambda sent: sent.set("permission", "home")),
    (Problem.NOT_A_CHOICE, "@direction", lambda sent: sent.set("direction", "up")),
    (Problem.NOT_A_DAY, "@day", lambda sent: sent.set("day", "2026-11-31")),
    (Problem.NOT_A_DAY, "@day", lambda sent: sent.set("day", "20261129")),
    (Problem.NOT_A_DAY, "@day", lambda sent: sent.set("day", "1970-01-01")),
    (Problem.NO_TEXT, "", lambda sent: setattr(sent, "text", None)),
    (Problem.NOT_BASE64, "", lambda sent: setattr(sent, "text", "é==")),
    (Problem.NOT_ROWS, "", rows(lambda sent: sent[:-1])),
    (Problem.OUT_OF_ORDER, "", rows(lambda sent: sent[ROW:] + sent[:ROW])),
    (Problem.OUT_OF_ORDER, "", rows(lambda sent: sent[:ROW] + sent)),
    (Problem.OUT_OF_TIME, "", rows(lambda sent: b"\xff" * 4 + sent[4:ROW])),
    (Problem.TOO_MANY_ROWS, "", rows(lambda sent: bytes(ROW * (MAX_REPORTS + 1)))),
]
BROKEN_VERIFICATIONS: list[tuple[Problem, str, Edit]] = [
    (
        Problem.NOT_HEXADECIMAL,
        "@verification-key",
        lambda sent: sent.set("verification-key", 62 * "0"),
    ),
    (Problem.NOT_AN_HOUR, "@hour", lambda sent: sent.set("hour", "2026-11-29T12:30:00Z")),
    (Problem.NOT_A_COUNT, "@part", lambda sent: sent.set("part", "0")),
    (Problem.BACKWARDS, "@part", lambda sent: sent.set("part", "2")),
    (Problem.NO_ELEMENT, "", lambda sent: sent.remove(sent[0])),
    (Problem.NOT_A_GROUP, "/homes[1]@group", lambda sent: sent[0].set("group", "Kersabiec")),
    (Problem.NOT_A_GROUP, "/homes[1]@group", lambda sent: sent[0].set("group", "03")),
    (Problem.TOO_MANY_ROWS, "/homes[2]", too_many_homes),
]
BROKEN_VERIFIED: list[tuple[Problem, str, Edit]] = [
    (Problem.NOT_A_CHOICE, "/refused[1]@reason", lambda sent: sent[0].set("reason", "no")),
    (Problem.NOT_ROWS, "/refused[1]", lambda sent: setattr(sent[0], "text", "AAAA")),
]
BROKEN_OPENINGS: list[tuple[Problem, str, Edit]] = [
    (Problem.NOT_A_UUID, "@id", lambda sent: sent.set("id", "today")),
    (Problem.BACKWARDS, "@part", lambda sent: sent.set("part", "2")),
    (Problem.NO_ELEMENT, "", lambda sent: sent.remove(sent[0])),
    (Problem.NOT_A_GROUP, "/sum[1]@group", lambda sent: sent[0].set("group", "Kersabiec")),
    (Problem.NOT_A_GROUP, "/sum[1]@group", lambda sent: sent[0].set("group", "00")),
    (Problem.NOT_HEXADECIMAL, "/sum[1]@masked", lambda sent: sent[0].set("masked", "12")),
    (
        Problem.NOT_HEXADECIMAL,
        "/sum[1]@masked-squares",
        lambda sent: sent[0].set("masked-squares", 16 * "G"),
    ),
]
BROKEN_ANSWERS: list[tuple[Problem, str, Edit]] = [
    (Problem.NOT_A_COUNT, "/sum[1]@wh", lambda sent: sent[0].set("wh", "-1")),
    (Problem.NOT_A_GROUP, "/sum[1]@groups", lambda sent: sent[0].set("groups", "3 x")),
    (Problem.NOT_A_GROUP, "/sum[1]@groups", lambda sent: sent[0].set("groups", "3 05")),
    (Problem.NOT_A_CHOICE, "/refused[1]@reason", lambda sent: sent[1].set("reason", "no")),
]
CASES: list[tuple[Problem, str, Callable[[], object]]] = [
    *(
        (problem, f"reports{place}", partial(edited, protected_sums.REPORTS, SENT, change))
        for problem, place, change in BROKEN_REPORTS
    ),
    *(
        (
            problem,
            f"verification{place}",
            partial(edited, protected_sums.VERIFICATION, ASKED, change),
        )
        for problem, place, change in BROKEN_VERIFICATIONS
    ),
    *(
        (problem, f"verified{place}", partial(edited, protected_sums.VERIFIED, VERIFIED, change))
        for problem, place, change in BROKEN_VERIFIED
    ),
    *(
        (problem, f"opening{place}", partial(edited, protected_sums.OPENING, OPENING, change))
        for problem, place, change in BROKEN_OPENINGS
    ),
    *(
        (problem, f"opened{place}", partial(edited, protected_sums.OPENED, ANSWER, change))
        for problem, place, change in BROKEN_ANSWERS
    ),
]
"""See `test_broken`."""
