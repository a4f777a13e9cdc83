"""Checks that a witness is another body than the collective.

Its registrable domain is another one, its certificate is valid, and its key is not the one with
which the collective's own site answers. Who is behind a domain and a key, no node can check: the
page says so. Sites are connected to once a person asks to see what would leave.
"""

import asyncio
from collections.abc import Sequence
import ssl
from urllib.parse import urlsplit

from consometers_node.i18n.foreign import isolated
from consometers_node.i18n.text import Text, text
from consometers_node.permission import DataNeed
from consometers_node.sharing.permissions.consent import DataRequest
from consometers_node.sharing.permissions.sum_requests import minimum_homes, objection_to_witness
from consometers_node.store import Store

from .witness_address import NotPublic, Trust, addresses, check_url, trust
from .witness_client import UNVERIFIED

_WITHIN_S = 10.0
_SEQUENCE, _VERSION, _LONG = 0x30, 0xA0, 0x80

_AWAY = text(
    "The witness {name} ({url}) cannot be reached now, so this node cannot check it: try again"
    " later. {why}"
)
_NOT_PUBLIC = text(
    "The witness {name} ({url}) has no public address (https, port 443, no user name): this node"
    " does not connect to it. Nothing can be allowed here; ask the collective for another witness."
)
_SAME_KEY = text(
    "The witness {name} ({url}) has the same key as {site}, the site of {collective}: one body"
    " could read your home. Nothing can be allowed here; ask the collective for another witness."
)


async def objection(store: Store, question: DataRequest, *, connects: bool) -> Text | None:
    """Return why a request for sums cannot be allowed; None if it can, or is none.

    Without `connects`, nothing is asked of the addresses that a collective states.
    """
    need = question.need
    if need.witness is None:
        return None
    async with store.reading() as connection:
        minimum = await minimum_homes(connection)
    in_words = objection_to_witness(need, question.peer.jid, minimum)
    if in_words is not None or not connects:
        return in_words
    return await _objection_to_key(need, await trust(store))


async def _objection_to_key(need: DataNeed, trusted: Trust) -> Text | None:
    witness = need.witness
    assert witness is not None
    values = {"name": isolated(witness.name), "url": isolated(witness.url)}
    try:
        key = await _public_key(witness.url, trusted)
    except NotPublic:
        return _NOT_PUBLIC.fill(**values)
    except ssl.SSLCertVerificationError as fault:
        return UNVERIFIED.fill(**values, why=fault.verify_message)
    except (OSError, TimeoutError, ValueError) as fault:
        return _AWAY.fill(**values, why=str(fault) or type(fault).__name__)
    if need.policy_link is None:
        return None
    try:
        other = await _public_key(need.policy_link, trusted)
    except OSError, TimeoutError, ValueError:
        # A site that does not answer, or is not public, proves nothing.
        return None
    if other != key:
        return None
    site = isolated(urlsplit(need.policy_link).hostname or "")
    return _SAME_KEY.fill(**values, site=site, collective=isolated(need.controller))


async def _public_key(url: str, trusted: Trust) -> bytes:
    """Return the key of a site. Raises OSError, TimeoutError, ValueError."""
    host, port = check_url(url, is_private=trusted.is_private)
    async with asyncio.timeout(_WITHIN_S):
        resolved = await addresses(host, port, is_private=trusted.is_private)
        writer = await _connected(resolved, host, port, trusted.tls)
        try:
            certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        finally:
            writer.close()
    return public_key_of(certificate)


async def _connected(
    resolved: Sequence[str], host: str, port: int, tls: ssl.SSLContext
) -> asyncio.StreamWriter:
    """Connect to the first address that answers: one that was checked. Raises OSError."""
    *others, last = resolved
    for address in others:
        try:
            _, writer = await asyncio.open_connection(address, port, ssl=tls, server_hostname=host)
        except ssl.SSLCertVerificationError:
            raise
        except OSError:
            continue
        return writer
    _, writer = await asyncio.open_connection(last, port, ssl=tls, server_hostname=host)
    return writer


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
