"""Masked reports and the opening of their sums: limits, and what cannot be read."""

from uuid import UUID

from consometers_protected_sums.exchange import (
    Refusal,
    RefusedHomes,
)
from consometers_quoalise import Verified
from consometers_quoalise.elements.markup import serialise
from consometers_quoalise.federation import protected_sums
from consometers_quoalise.federation.protected_sums import (
    MAX_REFUSED,
)

from .protected_sums_samples import ANSWER, PERMISSION, VERIFIED
from .samples import element


def test_a_refusal_names_as_many_homes_as_fit_into_a_message() -> None:
    homes = frozenset(str(UUID(int=n)) for n in range(MAX_REFUSED + 1))
    refused = RefusedHomes(Refusal.NOT_ENROLLED, homes)
    sent = serialise(
        protected_sums.write_verified(Verified(id=PERMISSION, part=1, parts=1, refused=(refused,)))
    )
    (answer,) = protected_sums.read_verified(element(sent)).refused
    assert answer.pseudonyms == homes - {max(homes)}


def test_a_refusal_of_a_sum_names_no_home() -> None:
    """A witness that named one once it has the sums would be asked for others."""
    sent = protected_sums.write_opened(ANSWER)
    refused = protected_sums.write_verified(VERIFIED)[0]
    sent[1].text = refused.text
    assert protected_sums.read_opened(sent) == ANSWER
