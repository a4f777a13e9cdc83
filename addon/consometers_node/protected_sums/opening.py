"""A witness's checks before it opens a sum of masked reports. Pure.

A collective asks for all groups of an hour and a direction at once, each with the sums of its
homes' reports, and the verifier of each report: with its own, made of the masks, the witness sees
whether the report proves its value. Either nothing of it is opened, and the refusal says which
homes stand in the way; or every home of it counts as opened, whatever the answer is, so that
nothing can be learnt from a second attempt. Groups in which one home dominates are put together
with others, as `collective.disclosure.closing` puts them together.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Final

from ..keyed_draw import keyed_draw
from ..quoalise.protected_sums import (
    Answer,
    MaskedSum,
    OpenedSum,
    Part,
    Refusal,
    RefusedSum,
)
from ..series import Direction
from .field import MODULUS
from .keys import DayKey
from .reports import MOST_WH, Subject, Verification, element_masks, read_verifier

KEYS_FOR: Final = timedelta(days=35)
"""How long a witness can open a report: it forgets older keys."""
FINGERPRINT_BYTES: Final = 16
DOMINANCE_PERCENT: Final = range(37, 42)
"""The bounds of the most that the sum of squares may be, of the square of the sum.

A cell that the p % rule suppresses at 18 % has at least 41.8 %, whatever its homes have; at 30 %,
37.1 %. Within these bounds it is confidential: the witness draws half of it for a month, and half
for a day, so that a member that lies about itself cannot compute others from what is refused.
"""

_HALF: Final = 50 * (DOMINANCE_PERCENT[-1] - DOMINANCE_PERCENT[0])
"""Half of the spread, in hundredths of a percent."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A witness's data on a home: its key, and the promised minimum.

    `minimum` is how many homes a sum with it has. A home that has left has no enrolment.
    """

    key: DayKey
    directions: frozenset[Direction]
    minimum: int


_NOTHING_VERIFIED: Final[Mapping[str, bytes]] = {}


class Witness:
    """The enrolments of one collective's homes, by pseudonym."""

    def __init__(self, enrolments: Mapping[str, Enrolment], secret: bytes) -> None:
        """Know homes, and the witness's secret, which makes its bound of dominance."""
        self._secret = secret
        self._enrolments = enrolments
        self._latest_keys: dict[str, DayKey] = {}

    def open(
        self,
        subject: Subject,
        sums: Sequence[MaskedSum],
        today: date,
        opened: Set[str] = frozenset(),
        *,
        key: bytes,
        verified: Mapping[str, bytes] = _NOTHING_VERIFIED,
    ) -> list[Answer]:
        """Open an hour of a direction, for the groups of homes that a collective asks for.

        An answer is for one group, or for several together; each group is in one answer. What
        refuses a home refuses the whole request, after which no home counts as opened: the
        collective asks again without it. `today` is the UTC day; `opened` are the homes that were
        opened before for that hour and direction. Reports are verified under `key`, once: of those
        that were before, `verified` has the `fingerprint`, and another one is invalid.

        Raises `NotElements` and `RootOfUnity` where the request is none.
        """
        if refused := self._standing_in_the_way(subject, sums, today, opened):
            return refused
        verification = Verification(key, subject.direction, subject.hour)
        encoded = subject.encoded()
        cells: dict[frozenset[str], _Moments] = {}
        invalid = set[str]()
        for asked in sums:
            cell, bad = self._unmasked(encoded, asked, verification)
            cells[frozenset({asked.group})] = cell
            invalid |= bad
            if verified:
                invalid |= _verified_otherwise(asked.parts, key, verified)
        if invalid:
            groups = frozenset(asked.group for asked in sums)
            return [RefusedSum(groups, Refusal.INVALID, frozenset(invalid))]
        answers: list[Answer] = [
            RefusedSum(groups, Refusal.IMPLAUSIBLE)
            for groups, cell in cells.items()
            if not cell.is_plausible
        ]
        plausible = {groups: cell for groups, cell in cells.items() if cell.is_plausible}
        return answers + _together(plausible, self._bound(subject))

    def _bound(self, subject: Subject) -> int:
        """Return the most that squares may be of the sum's square, in hundredths of a percent."""
        where = subject.collective, subject.direction.value
        of_month = keyed_draw(self._secret, _HALF, "month", f"{subject.hour:%Y-%m}", *where)
        of_day = keyed_draw(self._secret, _HALF, "day", f"{subject.hour:%Y-%m-%d}", *where)
        return 100 * DOMINANCE_PERCENT[0] + of_month + of_day

    def _standing_in_the_way(
        self, subject: Subject, sums: Sequence[MaskedSum], today: date, opened: Set[str]
    ) -> list[Answer]:
        refused = defaultdict[Refusal, set[str]](set)
        seen = set[str]()
        oldest = today - KEYS_FOR
        for asked in sums:
            for part in asked.parts:
                enrolment = self._enrolments.get(part.pseudonym)
                if enrolment is None or subject.direction not in enrolment.directions:
                    refused[Refusal.NOT_ENROLLED].add(part.pseudonym)
                elif part.pseudonym in seen:
                    refused[Refusal.REPEATED].add(part.pseudonym)
                elif len(asked.parts) < enrolment.minimum:
                    refused[Refusal.TOO_FEW].add(part.pseudonym)
                elif not max(oldest, enrolment.key.day) <= part.day <= today:
                    refused[Refusal.KEY_FORGOTTEN].add(part.pseudonym)
                seen.add(part.pseudonym)
        if again := seen & opened:
            refused[Refusal.OPENED_BEFORE] = again
        groups = frozenset(asked.group for asked in sums)
        return [
            RefusedSum(groups, reason, frozenset(pseudonyms))
            for reason, pseudonyms in refused.items()
        ]

    def _unmasked(
        self, subject: bytes, asked: MaskedSum, verification: Verification
    ) -> tuple[_Moments, set[str]]:
        """Return the sums of a group, and the homes whose reports are invalid."""
        wh, squares = asked.masked, asked.masked_squares
        invalid = set[str]()
        for part in asked.parts:
            masks = element_masks(self._key(part).secret, subject, part.nonce)
            of_masks, (mask, mask_of_square) = verification.ask(masks)
            if not verification.decide(read_verifier(part.verifier), of_masks):
                invalid.add(part.pseudonym)
            wh += mask
            squares += mask_of_square
        return _Moments(len(asked.parts), wh % MODULUS, squares % MODULUS), invalid

    def _key(self, part: Part) -> DayKey:
        """Return the key of a report. The latest stays at hand: mostly, it is the one of today."""
        latest = self._latest_keys.get(part.pseudonym)
        if latest is not None and latest.day == part.day:
            return latest
        if latest is None or part.day < latest.day:
            key = self._enrolments[part.pseudonym].key.on(part.day)
        else:
            key = latest.on(part.day)
        if latest is None or latest.day < key.day:
            self._latest_keys[part.pseudonym] = key
        return key


def _verified_otherwise(
    parts: Iterable[Part], key: bytes, verified: Mapping[str, bytes]
) -> set[str]:
    """Return the homes whose reports were verified before with another verifier or key."""
    return {
        part.pseudonym
        for part in parts
        if (before := verified.get(part.pseudonym)) and before != fingerprint(part, key)
    }


def fingerprint(part: Part, key: bytes) -> bytes:
    """Return the hash of key, nonce, day and verifier of a report, in 16 bytes."""
    verified = part.day.toordinal().to_bytes(4) + part.nonce + part.verifier + key
    return sha256(verified).digest()[:FINGERPRINT_BYTES]


@dataclass(frozen=True, slots=True)
class _Moments:
    """The sum of some homes' values, and the sum of their squares."""

    homes: int
    wh: int
    squares: int

    def __add__(self, other: _Moments) -> _Moments:
        return _Moments(self.homes + other.homes, self.wh + other.wh, self.squares + other.squares)

    @property
    def is_plausible(self) -> bool:
        """Whether the collective added up what it has: each report is a value of `MOST_WH`."""
        return self.wh <= self.homes * MOST_WH

    def is_dominated(self, bound: int) -> bool:
        return 10_000 * self.squares > bound * self.wh**2


def _together(cells: Mapping[frozenset[str], _Moments], bound: int) -> list[Answer]:
    """Open the groups that pass; the others together, with the smallest that pass if need be."""
    passing = {groups: cell for groups, cell in cells.items() if not cell.is_dominated(bound)}
    pool = {groups: cell for groups, cell in cells.items() if cell.is_dominated(bound)}
    pooled = sum(pool.values(), _Moments(0, 0, 0))
    for groups in sorted(passing, key=lambda groups: (passing[groups].homes, *groups)):
        if not pooled.is_dominated(bound):
            break
        pool[groups] = passing.pop(groups)
        pooled += pool[groups]
    answers: list[Answer] = [
        OpenedSum(groups, cell.homes, cell.wh) for groups, cell in passing.items()
    ]
    if not pool:
        return answers
    union = frozenset[str]().union(*pool)
    if pooled.is_dominated(bound):
        return [*answers, RefusedSum(union, Refusal.DOMINANCE)]
    return [*answers, OpenedSum(union, pooled.homes, pooled.wh)]
