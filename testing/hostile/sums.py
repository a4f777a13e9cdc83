"""Reports that a home makes up, and a witness that refuses them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from consometers_protected_sums.exchange import RefusedHomes
from consometers_protected_sums.field import MODULUS, encode
from consometers_protected_sums.reports import CIRCUIT, Subject
from consometers_quoalise.federation.protected_sums import (
    MaskedReport,
    Reports,
    VerificationRequest,
    Verified,
)
from packages.protected_sums.tests.homes import masks_of
from testing.collectives.masked import COLLECTIVE, AskedWitness, MaskedHome, MaskedTown
from testing.collectives.publishing import CONSUMPTION

AT = datetime(2026, 7, 15, 10, tzinfo=UTC)
OVER = AT + timedelta(hours=4)
HOUR = timedelta(hours=1)
BITS = 16


class RefusingWitness(AskedWitness):
    """Answers a collective's network as the witness of a town does."""

    def __init__(self, town: MaskedTown) -> None:
        super().__init__(town.witness(), OVER.date())
        self.refused: list[RefusedHomes] = []

    async def verify_reports(self, collective: str, request: VerificationRequest) -> Verified:
        verified = await super().verify_reports(collective, request)
        self.refused += verified.refused
        return verified


def forged(
    town: MaskedTown, home: MaskedHome, elements: Sequence[int], start: datetime = AT
) -> Reports:
    """Return a message with what a home made up in place of a value with its proof."""
    honest = town.reports(home, [0], start)
    (report,) = honest.reports
    subject = Subject(COLLECTIVE, CONSUMPTION, start)
    masks = masks_of(home.key.on(honest.day).secret, subject, report.nonce)
    masked = encode((e - mask) % MODULUS for e, mask in zip(elements, masks, strict=True))
    return replace(honest, reports=(MaskedReport(start, report.nonce, masked),))


def proven(measured: Sequence[int]) -> list[int]:
    """Return a measurement with the best proof of it that its home can make.

    It sets what each equation demands, as if it held.
    """
    elements = [*measured, *CIRCUIT.prove(measured, (3, 4))]
    values = BITS + 1 + 2
    for call, result in enumerate(measured, 1):
        elements[values + 2 * call] = result % MODULUS
    return elements
