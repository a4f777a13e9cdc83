"""Channels of alerts: e-mail, and a webhook."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
import smtplib
import ssl
from typing import Protocol

import aiohttp

from consometers_node.collective.settings import MailSettings, Settings
from consometers_node.collective.settings_formats import SmtpSecurity
from consometers_node.i18n.text import Text, TranslatedError, text

_SECONDS = 15
_OK = 200
_REDIRECTED = 300
_PORTS = {SmtpSecurity.STARTTLS: 587, SmtpSecurity.TLS: 465, SmtpSecurity.NONE: 25}

_UNREACHABLE = text("the mail server {host} cannot be reached ({why}).")
_UNTRUSTED = text("the mail server {host} does not prove its identity ({why}).")
_NO_TLS = text(
    "the mail server {host} offers no STARTTLS: nothing was sent. Set alerts.smtp_security to"
    " “tls”, or choose another server."
)
_WRONG_PASSWORD = text(
    "the mail server {host} refuses the user name or the password ({code}): correct"
    " alerts.smtp_user or the password."
)
_NO_PASSWORD = text(
    "the password of the mail server is missing: set CONSOMETERS_SMTP_PASSWORD or"
    " alerts.smtp_password_file."
)
_REFUSED = text("the mail server {host} refuses the message ({code}).")
_WEBHOOK_REFUSED = text("the webhook answers with status {status}.")
_WEBHOOK_UNREACHABLE = text("the webhook cannot be reached ({why}).")


@dataclass(frozen=True, slots=True)
class Alert:
    """A message: a subject, a text, and facts for programs."""

    subject: str
    body: str
    facts: Mapping[str, str | None]


class NotSent(TranslatedError):
    """A message was not taken. `text` names no address; `answer` is the server's own words."""

    def __init__(self, words: Text, answer: str | None = None) -> None:
        super().__init__(words)
        self.answer = answer


class Channel(Protocol):
    """A channel of alerts."""

    name: str

    async def send(self, alert: Alert) -> str:
        """Send a message, and return the answer of the server. Raises NotSent."""


class Mail:
    """Sends alerts by e-mail."""

    name = "mail"

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings

    async def send(self, alert: Alert) -> str:
        """Send a message, and return the answer of the server. Raises NotSent."""
        return await asyncio.to_thread(self._send, self._message(alert))

    def _message(self, alert: Alert) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = alert.subject
        message["From"] = self._sender
        message["To"] = ", ".join(self._settings.mail_to)
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(alert.body)
        return message

    @property
    def _sender(self) -> str:
        return self._settings.mail_from or self._settings.mail_to[0]

    def _send(self, message: EmailMessage) -> str:
        host = self._settings.smtp_host
        try:
            client = self._connect()
            try:
                return self._deliver(client, message)
            finally:
                # The message is taken or refused by then.
                with suppress(OSError, smtplib.SMTPException):
                    client.quit()
                client.close()
        except ssl.SSLCertVerificationError as fault:
            raise NotSent(_UNTRUSTED.fill(host=host, why=fault.verify_message)) from None
        except smtplib.SMTPNotSupportedError:
            raise NotSent(_NO_TLS.fill(host=host)) from None
        except smtplib.SMTPResponseException as fault:
            wrong = isinstance(fault, smtplib.SMTPAuthenticationError)
            words = _WRONG_PASSWORD if wrong else _REFUSED
            answer = _answer(fault.smtp_code, fault.smtp_error)
            raise NotSent(words.fill(host=host, code=fault.smtp_code), answer) from None
        except (OSError, smtplib.SMTPException) as fault:
            why = getattr(fault, "strerror", None) or type(fault).__name__
            raise NotSent(_UNREACHABLE.fill(host=host, why=why)) from None

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        port = settings.smtp_port or _PORTS[settings.smtp_security]
        password = self._password() if settings.smtp_user else None
        tls = ssl.create_default_context()
        own_name = self._sender.rpartition("@")[2]  # smtplib would look one up
        if settings.smtp_security is SmtpSecurity.TLS:
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.smtp_host, port, own_name, timeout=_SECONDS, context=tls
            )
        else:
            client = smtplib.SMTP(settings.smtp_host, port, own_name, timeout=_SECONDS)
        try:
            if settings.smtp_security is SmtpSecurity.STARTTLS:
                client.starttls(context=tls)
            if settings.smtp_user and password:
                client.login(settings.smtp_user, password)
        except BaseException:
            client.close()
            raise
        return client

    def _password(self) -> str:
        password, file = self._settings.smtp_password, self._settings.smtp_password_file
        if file is not None:
            with suppress(OSError):
                password = file.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
        if not password:
            raise NotSent(_NO_PASSWORD)
        return password

    def _deliver(self, client: smtplib.SMTP, message: EmailMessage) -> str:
        """Hand a message over, and return the answer. `SMTP.send_message` keeps that to itself."""
        client.ehlo_or_helo_if_needed()
        steps = [client.mail, *[client.rcpt] * len(self._settings.mail_to)]
        for step, address in zip(steps, [self._sender, *self._settings.mail_to], strict=True):
            code, answer = step(address)
            if not _OK <= code < _REDIRECTED:
                raise smtplib.SMTPResponseException(code, answer)
        code, answer = client.data(message.as_bytes(policy=message.policy.clone(linesep="\r\n")))
        if not _OK <= code < _REDIRECTED:
            raise smtplib.SMTPResponseException(code, answer)
        return _answer(code, answer)


class Webhook:
    """Posts alerts to an address, as JSON. The address is a secret: no error names it."""

    name = "webhook"

    def __init__(self, url: str) -> None:
        self._url = url

    async def send(self, alert: Alert) -> str:
        """Send a message, and return the answer of the server. Raises NotSent."""
        # “text” is what Mattermost, Rocket.Chat, Slack and others show.
        document = {"text": f"{alert.subject}\n{alert.body}", **alert.facts}
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(self._url, json=document, allow_redirects=False) as answer,
            ):
                if not _OK <= answer.status < _REDIRECTED:
                    words = _WEBHOOK_REFUSED.fill(status=answer.status)
                    raise NotSent(words, f"{answer.status} {answer.reason}")
                return f"{answer.status} {answer.reason}"
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            why = getattr(fault, "strerror", None) or type(fault).__name__
            raise NotSent(_WEBHOOK_UNREACHABLE.fill(why=why)) from None


def channels(settings: Settings) -> list[Channel]:
    """Return the configured channels."""
    ways: list[Channel] = []
    if settings.mail is not None:
        ways.append(Mail(settings.mail))
    if settings.webhook is not None:
        ways.append(Webhook(settings.webhook))
    return ways


def _answer(code: int, words: bytes | str) -> str:
    decoded = words.decode(errors="replace") if isinstance(words, bytes) else words
    return f"{code} {decoded}"
