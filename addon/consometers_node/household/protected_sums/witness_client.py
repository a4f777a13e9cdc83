"""Requests of a home to a witness, over HTTPS."""

from collections.abc import Callable, Mapping
import json
from typing import Any, Final

import aiohttp

from consometers_node.i18n.text import Text, TranslatedError, text
from consometers_node.wire.witness_requests import MAX_BODY_BYTES, BadBody, Call
from consometers_quoalise import Witness
from consometers_quoalise.elements.decoding import Undecodable, decoded

from .witness_address import PublicResolver, Trust, check_url

_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)
_CONFLICT, _FORBIDDEN, _NOT_FOUND, _BAD_CODE, _TOO_MANY = 409, 403, 404, 422, 429
_UNAVAILABLE = 503

_AWAY = text("The witness {name} cannot be reached; this node tries again: {why}")
UNVERIFIED = text(
    "The certificate of the witness {name} is not valid for {url}, or its authority is unknown:"
    " {why}"
)
_REFUSED = text("The witness {name} refuses ({status}): inform its contact, {contact}.")
_NO_WITNESS = text("{name} is no witness for this collective: inform the collective, and withdraw.")
_OTHER_TERMS = text(
    "The witness {name} knows this home on other terms, from before a backup was restored:"
    " withdraw, and allow again with another code, from {contact}."
)
_NOT_ITS_CODE = text(
    "{name} does not accept the code of this home: it may be mistyped, expired, revoked, or used"
    " by another home or by an earlier permission. Check it below, or ask {contact} for another."
)
_LIMITED = text(
    "{name} takes no more codes from your address for now, because too many were not valid: this"
    " node tries again later."
)
_NOT_READY = text("The witness {name} is not ready yet ({status}): this node tries again later.")
_STRANGE = text("The answer of the witness {name} cannot be read: inform its contact, {contact}.")


_WORDS = {
    _CONFLICT: _OTHER_TERMS,
    _FORBIDDEN: _NO_WITNESS,
    _BAD_CODE: _NOT_ITS_CODE,
    _TOO_MANY: _LIMITED,
    _UNAVAILABLE: _NOT_READY,
}


class WitnessFault(TranslatedError):
    """A request to a witness failed. `text` says why, and what to do."""

    def __init__(self, words: Text, *, status: int | None = None) -> None:
        super().__init__(words)
        self.status = status

    @property
    def is_unknown(self) -> bool:
        """Whether the witness does not know this home."""
        return self.status in {_FORBIDDEN, _NOT_FOUND}

    @property
    def has_no_key(self) -> bool:
        """Whether the witness has no key of this home."""
        return self.status == _NOT_FOUND

    @property
    def needs_code(self) -> bool:
        """Whether only a person helps, who enters another code."""
        return self.status == _BAD_CODE


class WitnessClient:
    """Sends requests to the witnesses that `trust` verifies, at their public addresses."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust

    async def ask[T](
        self, witness: Witness, call: Call, body: Mapping[str, Any], read: Callable[[object], T]
    ) -> T:
        """Return the answer as `read` reads it. Raises `WitnessFault`."""
        try:
            status, answer = await self._post(f"{witness.url}{call.path}", body)
        except aiohttp.ClientConnectorCertificateError as fault:
            unverified = UNVERIFIED.fill(
                name=witness.name, url=witness.url, why=fault.certificate_error
            )
            raise WitnessFault(unverified) from fault
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as fault:
            why = str(fault) or type(fault).__name__
            raise WitnessFault(_AWAY.fill(name=witness.name, why=why)) from fault
        if status not in {200, 201}:
            words = _WORDS.get(status, _REFUSED)
            refusal = words.fill(name=witness.name, status=status, contact=witness.contact)
            raise WitnessFault(refusal, status=status)
        try:
            return read(decoded(json.loads, answer))
        except (BadBody, Undecodable) as fault:
            strange = _STRANGE.fill(name=witness.name, contact=witness.contact)
            raise WitnessFault(strange) from fault

    async def _post(self, url: str, body: Mapping[str, Any]) -> tuple[int, bytes]:
        """Post JSON. Return the status, and the body: empty if it exceeds `MAX_BODY_BYTES`."""
        tls, is_private = self._trust
        check_url(url, is_private=is_private)
        resolver = None if is_private else PublicResolver()
        connector = aiohttp.TCPConnector(ssl=tls, resolver=resolver)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT) as session,
            session.post(url, json=body, allow_redirects=False) as response,
        ):
            answer = b""
            async for part in response.content.iter_chunked(MAX_BODY_BYTES):
                answer += part
                if len(answer) > MAX_BODY_BYTES:
                    return response.status, b""
            return response.status, answer
