"""The certificates of this collective's XMPP server and pages, as others see them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
import ssl
from typing import Any, NoReturn

from consometers_node.collective.settings import Settings
from consometers_node.i18n.protocol import sentence
from consometers_node.i18n.text import Text, text
from consometers_quoalise import iso8601
from consometers_quoalise_network import Identity, NetworkError
from consometers_quoalise_network.errors import CertificateRefused

FIRST_S = 60.0
EVERY_S = 3600.0
_WITHIN_S = 20
_HTTPS = 443
_XMPP = ""
_LEFT = 6
"""Renewal begins when a third of the lifetime is left; when a sixth is, it has failed."""

_REFUSED = text("The certificate of {name} is not valid: {why}.")

type Presented = Callable[[Identity], Awaitable[Mapping[str, Any]]]
"""Returns the certificate that an account's server presents, as `ssl` has it.

Raises `NetworkError`.
"""


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate of a server."""

    name: str
    begins: datetime
    ends: datetime

    @classmethod
    def read(cls, name: str, shown: Mapping[str, Any]) -> Certificate:
        """Return what `ssl` says of one. One without end (RFC 5280 §4.1.2.5) ends in 2100."""
        begins, ends = (
            min(
                max(
                    datetime.fromtimestamp(ssl.cert_time_to_seconds(shown[key]), UTC), iso8601.FIRST
                ),
                iso8601.LAST,
            )
            for key in ("notBefore", "notAfter")
        )
        return cls(name, begins, ends)

    def is_ending(self, at: datetime) -> bool:
        """Return whether it should have been renewed by now."""
        return self.ends - at < (self.ends - self.begins) / _LEFT


class Certificates:
    """The certificates `seen` last, by place, and why others were `refused`."""

    def __init__(self) -> None:
        self.seen: dict[str, Certificate] = {}
        self.refused: list[Text] = []

    async def run(
        self,
        settings: Settings,
        who: Identity,
        presented: Presented,
        *,
        first_s: float = FIRST_S,
        every_s: float = EVERY_S,
    ) -> NoReturn:
        """Check them repeatedly. A server that does not answer changes nothing."""
        await asyncio.sleep(first_s)
        while True:
            await self.look(settings, who, presented)
            await asyncio.sleep(every_s)

    async def look(self, settings: Settings, who: Identity, presented: Presented) -> None:
        """Check the certificate of the account's domain, and those of the pages."""
        domain = who.account.jid.partition("@")[2]
        refused = []
        try:
            self.seen[_XMPP] = Certificate.read(domain, await presented(who))
        except CertificateRefused as fault:
            self.seen.pop(_XMPP, None)
            refused.append(sentence(fault))
        except NetworkError:
            pass
        for name in settings.page.names:
            try:
                shown = await _of_page(name, who.server.tls())
            except ssl.SSLCertVerificationError as fault:
                self.seen.pop(name, None)
                refused.append(_REFUSED.fill(name=name, why=fault.verify_message))
            except OSError, TimeoutError:
                pass
            else:
                self.seen[name] = Certificate.read(name, shown)
        self.refused = refused


async def _of_page(name: str, tls: ssl.SSLContext) -> Mapping[str, Any]:
    """Return the certificate that pages of this name present."""
    tls.set_alpn_protocols(["http/1.1"])
    async with asyncio.timeout(_WITHIN_S):
        _, writer = await asyncio.open_connection(name, _HTTPS, ssl=tls)
    shown: Mapping[str, Any] = writer.get_extra_info("peercert")
    writer.transport.abort()
    return shown
