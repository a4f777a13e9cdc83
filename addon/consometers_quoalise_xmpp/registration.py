"""An account from an invitation: pre-authenticated in-band registration (XEP-0445, XEP-0077).

    <iq type="set" to="example.org"><preauth xmlns="urn:xmpp:pars:0" token="…"/></iq>
    <iq type="set" to="example.org"><query xmlns="jabber:iq:register">…</query></iq>

Both are sent before any login, and after TLS. The password is random: nobody has seen it.
"""

import asyncio
from collections.abc import Mapping
import secrets
from xml.etree.ElementTree import Element, SubElement

from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.stanza import StreamFeatures

from consometers_quoalise.elements.markup import tag
from consometers_quoalise_network import Account, Register, Server
from consometers_quoalise_network.errors import (
    AccountTaken,
    InvitationRefused,
    NetworkError,
    NoAnswer,
    NotEncrypted,
    RegistrationRefused,
)

from .base_stream import quiet
from .connection import error_in
from .stream import Stream

_PREAUTH = "{urn:xmpp:pars:0}preauth"
_REGISTER = "jabber:iq:register"
_SECONDS = 30
_UNKNOWN_TOKEN = ("item-not-found", "forbidden")
"""As XEP-0445 has it, and as Prosody 13 does."""
_PASSWORD_BYTES = 32
_NAME_BYTES = 6


async def register(
    invitation: Register, server: Server | None = None, *, user: str | None = None
) -> Account:
    """Make the account, and return it with its password. Raises `NetworkError`.

    Its name is that of the invitation, else `user`, else one that says nothing of anyone.
    """
    quiet()
    name = invitation.user or user or f"home-{secrets.token_hex(_NAME_BYTES)}"
    account = Account(f"{name}@{invitation.host}", secrets.token_urlsafe(_PASSWORD_BYTES))
    stream = _Registration(account, server or Server(), invitation.token)
    try:
        await stream.open()
    finally:
        await stream.close()
    return account


class _Registration(Stream):
    """A stream that makes an account where others log in."""

    def __init__(self, account: Account, server: Server, token: str) -> None:
        super().__init__(account, server)
        self._account = account
        self._token = token
        # slixmpp holds back stanzas before a session, and there is none here.
        self._always_send_everything = True
        order: int = self.plugin["feature_mechanisms"].order
        self.unregister_feature("mechanisms", order)
        self.register_feature("mechanisms", self._register, restart=True, order=order)

    async def _register(self, _features: StreamFeatures) -> bool:
        host = self.default_domain
        try:
            if not self.encrypted:
                raise NotEncrypted(host=host)
            async with asyncio.timeout(_SECONDS):
                await self._preauthenticate()
                await self._make_account()
        except NetworkError as refused:
            self._fail(refused)
        except TimeoutError, IqTimeout:
            self._fail(NoAnswer(peer=host))
        else:
            self._succeed()
        return True

    async def _preauthenticate(self) -> None:
        refusals = dict.fromkeys(_UNKNOWN_TOKEN, InvitationRefused(host=self.default_domain))
        await self._ask(Element(_PREAUTH, {"token": self._token}), refusals)

    async def _make_account(self) -> None:
        query = Element(tag(_REGISTER, "query"))
        user = self._account.jid.partition("@")[0]
        SubElement(query, tag(_REGISTER, "username")).text = user
        SubElement(query, tag(_REGISTER, "password")).text = self._account.password
        await self._ask(query, {"conflict": AccountTaken(jid=self._account.jid)})

    async def _ask(self, payload: Element, refusals: Mapping[str, NetworkError]) -> None:
        iq = self.make_iq(ito=self.default_domain, itype="set")
        iq.xml.append(payload)
        try:
            await iq.send(timeout=_SECONDS)  # type: ignore[no-untyped-call]
        except IqError as refusal:
            why = error_in(refusal.iq.xml).condition
            refused = refusals.get(why, RegistrationRefused(host=self.default_domain, why=why))
            raise refused from None
