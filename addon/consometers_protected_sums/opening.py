"""A witness's checks before it opens a sum of masked reports. Pure.

A collective asks in two steps, for all groups of an hour and a direction at once. First come the
homes, each with the verifier of its report: with its own, made of the masks, the witness sees
whether the report proves its value. It names the homes in the way, and is asked again without
them. Only for homes that all passed do the sums of their reports follow: a witness that lies about
homes has no other sum to compare them with. From then on every home of it counts as opened,
whatever the answer is, so that nothing can be learnt from a second attempt. Groups in which one
home dominates are put together with others, as `collective.disclosure.closing` puts them together.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Final, NamedTuple

from .exchange import (
    Answer,
    Group,
    MaskedSum,
    OpenedSum,
    Part,
    Refusal,
    RefusedHomes,
    RefusedSum,
)
from .field import MODULUS
from .keyed_draw import keyed_draw
from .keys import DayKey
from .pooling import pool_failing
from .reports import MOST_WH, Subject, Verification, element_masks, read_verifiers

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
    directions: frozenset[str]
    minimum: int


@dataclass(frozen=True, slots=True)
class Moments:
    """The sum of some homes' values, and the sum of their squares; or those of their masks."""

    homes: int
    wh: int
    squares: int

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.homes + other.homes, self.wh + other.wh, self.squares + other.squares)

    @property
    def is_plausible(self) -> bool:
        """Whether the collective added up what it has: each report is a value of `MOST_WH`."""
        return self.wh <= self.homes * MOST_WH

    def is_dominated(self, bound: int) -> bool:
        return 10_000 * self.squares > bound * self.wh**2


class Verdict(NamedTuple):
    """The homes in the way of a request; if there are none, the sums of the masks, by group.

    `fingerprints` are of the reports that were verified, and were not before.
    """

    refused: list[RefusedHomes]
    masks: dict[str, Moments]
    fingerprints: dict[str, bytes]


_NOTHING_VERIFIED: Final[Mapping[str, bytes]] = {}


class Witness:
    """The enrolments of one collective's homes, by pseudonym."""

    def __init__(self, enrolments: Mapping[str, Enrolment], secret: bytes) -> None:
        """Know homes, and the witness's secret, which makes its bound of dominance."""
        self._secret = secret
        self.enrolments = enrolments
        self._latest_keys: dict[str, DayKey] = {}

    def verify(
        self,
        subject: Subject,
        groups: Sequence[Group],
        today: date,
        opened: Set[str] = frozenset(),
        *,
        key: bytes,
        verified: Mapping[str, bytes] = _NOTHING_VERIFIED,
    ) -> Verdict:
        """Check the homes of an hour of a direction, and verify their reports.

        What refuses a home refuses the whole request: the collective asks again without it. `today`
        is the UTC day; `opened` are the homes that were opened before for that hour and direction.
        Reports are verified under `key`, once: of those that were before, `verified` has the
        `fingerprint`, and another one is invalid.

        Raises `NotElements` and `RootOfUnity` where the request is none.
        """
        if refused := self._standing_in_the_way(subject, groups, today, opened):
            return Verdict(refused, {}, {})
        verification = Verification(key, subject.direction, subject.hour)
        encoded = subject.encoded()
        masks: dict[str, Moments] = {}
        fingerprints: dict[str, bytes] = {}
        invalid = set[str]()
        for group in groups:
            wh = squares = 0
            of_reports = read_verifiers([part.verifier for part in group.parts])
            of_masks = verification.ask(
                element_masks(self._key(part.pseudonym, part.day).secret, encoded, part.nonce)
                for part in group.parts
            )
            for part, of_report, (of_mask, (mask, mask_of_square)) in zip(
                group.parts, of_reports, of_masks, strict=True
            ):
                now = fingerprint(part, key)
                before = verified.get(part.pseudonym)
                if before is None:
                    fingerprints[part.pseudonym] = before = now
                if not verification.decide(of_report, of_mask) or before != now:
                    invalid.add(part.pseudonym)
                wh += mask
                squares += mask_of_square
            masks[group.name] = Moments(len(group.parts), wh, squares)
        if invalid:
            return Verdict([RefusedHomes(Refusal.INVALID, frozenset(invalid))], {}, fingerprints)
        return Verdict([], masks, fingerprints)

    def open(
        self, subject: Subject, masks: Mapping[str, Moments], sums: Sequence[MaskedSum]
    ) -> list[Answer]:
        """Open the groups of a request whose homes all passed, each of which has its sums here.

        An answer is for one group, or for several together; each group is in one answer.
        """
        cells = {frozenset({sent.group}): _unmasked(sent, masks[sent.group]) for sent in sums}
        answers: list[Answer] = [
            RefusedSum(groups, Refusal.IMPLAUSIBLE)
            for groups, cell in cells.items()
            if not cell.is_plausible
        ]
        plausible = {groups: cell for groups, cell in cells.items() if cell.is_plausible}
        return answers + _together(plausible, self._bound(subject))

    def _bound(self, subject: Subject) -> int:
        """Return the most that squares may be of the sum's square, in hundredths of a percent."""
        where = subject.collective, subject.direction
        of_month = keyed_draw(self._secret, _HALF, "month", f"{subject.hour:%Y-%m}", *where)
        of_day = keyed_draw(self._secret, _HALF, "day", f"{subject.hour:%Y-%m-%d}", *where)
        return 100 * DOMINANCE_PERCENT[0] + of_month + of_day

    def _standing_in_the_way(
        self, subject: Subject, groups: Sequence[Group], today: date, opened: Set[str]
    ) -> list[RefusedHomes]:
        refused = defaultdict[Refusal, set[str]](set)
        seen = set[str]()
        oldest = today - KEYS_FOR
        for group in groups:
            homes = len(group.parts)
            for pseudonym, day, _, _ in group.parts:
                enrolment = self.enrolments.get(pseudonym)
                if enrolment is None or subject.direction not in enrolment.directions:
                    refused[Refusal.NOT_ENROLLED].add(pseudonym)
                elif pseudonym in seen:
                    refused[Refusal.REPEATED].add(pseudonym)
                elif homes < enrolment.minimum:
                    refused[Refusal.TOO_FEW].add(pseudonym)
                elif not oldest <= day <= today or day < enrolment.key.day:
                    refused[Refusal.KEY_FORGOTTEN].add(pseudonym)
                seen.add(pseudonym)
        if again := seen & opened:
            refused[Refusal.OPENED_BEFORE] = again
        return [RefusedHomes(reason, frozenset(homes)) for reason, homes in refused.items()]

    def _key(self, pseudonym: str, day: date) -> DayKey:
        """Return a home's key of a day. The latest stays at hand: mostly, it is that of today."""
        latest = self._latest_keys.get(pseudonym)
        if latest is not None and latest.day == day:
            return latest
        if latest is None or day < latest.day:
            key = self.enrolments[pseudonym].key.on(day)
        else:
            key = latest.on(day)
        if latest is None or latest.day < key.day:
            self._latest_keys[pseudonym] = key
        return key


def fingerprint(part: Part, key: bytes) -> bytes:
    """Return the hash of key, nonce, day and verifier of a report, in 16 bytes."""
    _, day, nonce, verifier = part
    verified = day.toordinal().to_bytes(4) + nonce + verifier + key
    return sha256(verified).digest()[:FINGERPRINT_BYTES]


def _unmasked(sent: MaskedSum, masks: Moments) -> Moments:
    wh, squares = sent.masked + masks.wh, sent.masked_squares + masks.squares
    return Moments(masks.homes, wh % MODULUS, squares % MODULUS)


def _together(cells: Mapping[frozenset[str], Moments], bound: int) -> list[Answer]:
    """Open the groups that pass; the others together, with the smallest that pass if need be."""
    pooled = pool_failing(cells, lambda _, cell: cell.is_dominated(bound))
    return [
        RefusedSum(groups, Refusal.DOMINANCE)
        if cell.is_dominated(bound)
        else OpenedSum(groups, cell.homes, cell.wh)
        for groups, cell in pooled.items()
    ]
