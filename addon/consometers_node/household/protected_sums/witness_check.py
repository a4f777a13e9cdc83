"""Checks that a witness is another body than the collective, before anything is ticked.

Its domain is another one, its certificate is valid, and its key is not the one with which the
collective's own site answers.
"""

import asyncio
import ssl
from urllib.parse import urlsplit

from ...permission import DataNeed
from ...quoalise import Text
from ...quoalise.text import text
from ...sharing.consent import DataRequest
from ...sharing.sum_requests import minimum_homes, objection_to_witness
from ...store import Store
from .witness_client import UNVERIFIED, tls_context

_WITHIN_S = 10.0
_HTTPS = 443
_SEQUENCE, _VERSION, _LONG = 0x30, 0xA0, 0x80

_AWAY = text(
    "The witness {name} ({url}) cannot be reached now, so this node cannot check it: try again"
    " later. {why}"
)
_SAME_KEY = text(
    "The witness {name} ({url}) has the same key as {site}, the site of {collective}: one body"
    " could read your home. Nothing can be allowed here; ask the collective for another witness."
)


async def objection(store: Store, question: DataRequest) -> Text | None:
    """Return why a request for sums cannot be allowed; None if it can, or is none."""
    need = question.need
    if need.witness is None:
        return None
    async with store.reading() as connection:
        minimum = await minimum_homes(connection)
    in_words = objection_to_witness(need, question.peer.jid, minimum)
    return in_words or await _objection_to_key(need, await tls_context(store))


async def _objection_to_key(need: DataNeed, tls: ssl.SSLContext) -> Text | None:
    witness = need.witness
    assert witness is not None
    try:
        key = await _public_key(witness.url, tls)
    except ssl.SSLCertVerificationError as fault:
        why = fault.verify_message
        return UNVERIFIED.fill(name=witness.name, url=witness.url, why=why)
    except (OSError, TimeoutError, ValueError) as fault:
        why = str(fault) or type(fault).__name__
        return _AWAY.fill(name=witness.name, url=witness.url, why=why)
    if need.policy_link is None:
        return None
    try:
        other = await _public_key(need.policy_link, tls)
    except OSError, TimeoutError, ValueError:
        # A site that does not answer proves nothing.
        return None
    if other != key:
        return None
    site = urlsplit(need.policy_link).hostname
    return _SAME_KEY.fill(name=witness.name, url=witness.url, site=site, collective=need.controller)


async def _public_key(url: str, tls: ssl.SSLContext) -> bytes:
    """Return the key of a site. Raises OSError, TimeoutError, ValueError."""
    site = urlsplit(url)
    async with asyncio.timeout(_WITHIN_S):
        _, writer = await asyncio.open_connection(
            site.hostname, site.port or _HTTPS, ssl=tls, happy_eyeballs_delay=0.25
        )
        try:
            certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        finally:
            writer.close()
    return public_key_of(certificate)


def public_key_of(certificate: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo of a certificate in DER (RFC 5280 §4.1). Raises ValueError.

    It comes after serial number, algorithm, issuer, validity and subject, and after the version
    where that is said.
    """
    try:
        position, _ = _contents(certificate, 0)
        position, _ = _contents(certificate, position)
        skipped = 6 if certificate[position] == _VERSION else 5
        for _ in range(skipped):
            start, length = _contents(certificate, position)
            position = start + length
        if certificate[position] != _SEQUENCE:
            raise ValueError("a certificate has no public key where it is to be")
        start, length = _contents(certificate, position)
    except IndexError as fault:
        raise ValueError("a certificate ends too early") from fault
    return certificate[position : start + length]


def _contents(der: bytes, position: int) -> tuple[int, int]:
    """Return where the contents of the value at a position start, and their length."""
    length = der[position + 1]
    start = position + 2
    if length & _LONG:
        count = length ^ _LONG
        length = int.from_bytes(der[start : start + count])
        start += count
    return start, length
