"""A message when a problem of the node begins, and when it is over: by e-mail, by a webhook."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
import shutil
import ssl
from types import SimpleNamespace
from typing import Any, Literal

from aiohttp import web
import pytest
from sqlalchemy.exc import OperationalError

from consometers_node.collective.monitoring.alerts import AFTER, Alerts
from consometers_node.collective.monitoring.channels import (
    Alert,
    Mail,
    NotSent,
    Webhook,
    channels,
)
from consometers_node.collective.monitoring.health import Health
from consometers_node.collective.monitoring.problems import (
    TITLES,
    Problem,
    ProblemKind,
    Weight,
    of_disk,
)
from consometers_node.collective.settings import MailSettings, PageSettings, Settings
from consometers_node.collective.settings_formats import SmtpSecurity
from consometers_node.i18n.text import Text, text
from consometers_node.store import Store
from consometers_quoalise_network.backoff import Backoff
from demo.servers.prosody import Authority
from testing.collectives.watched import watch_of
from testing.mail import HOST, PASSWORD, QUEUED, REFUSED, USER, Postbox, running
from testing.pages.town import ReleasedTown, settings

MINUTE = timedelta(minutes=1)
ALERT = Alert("[Énergies] Problème", "Aucune sauvegarde.\n", {"kind": "backup"})
TO = ("contact@energies.test", "other@energies.test")
SECURE = ("starttls", "tls")


@pytest.fixture
def tls(authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's certificate, whose authority this machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue(HOST, tmp_path))
    return context


def mail(postbox: Postbox, how: str = "none", **others: Any) -> Mail:
    login = {"smtp_user": USER, "smtp_password": PASSWORD} if how != "none" else {}
    values: dict[str, Any] = {
        "mail_to": TO,
        "smtp_host": HOST,
        "smtp_port": postbox.port,
        "smtp_security": SmtpSecurity(how),
    }
    return Mail(MailSettings(**values | login | others))


async def refusal(channel: Mail | Webhook) -> NotSent:
    with pytest.raises(NotSent) as raised:
        await channel.send(ALERT)
    for secret in (PASSWORD, USER, *TO, "s3cret"):
        assert secret not in str(raised.value)
    return raised.value


# E-mail.

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.mark.parametrize("how", ["none", *SECURE])
async def test_a_sent_message_returns_the_server_s_answer(
    tls: ssl.SSLContext, how: Literal["none", "starttls", "tls"]
) -> None:
    async with running(tls, how) as postbox:
        assert await mail(postbox, how).send(ALERT) == QUEUED
    (message,) = postbox.messages
    assert message["Subject"] == ALERT.subject
    assert message["To"] == ", ".join(TO)
    assert message["From"] == TO[0]
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().splitlines() == ALERT.body.splitlines()


@pytest.mark.parametrize("how", SECURE)
async def test_a_wrong_password_is_reported(
    tls: ssl.SSLContext, how: Literal["starttls", "tls"], tmp_path: Path
) -> None:
    wrong, missing = tmp_path / "password", tmp_path / "missing"
    wrong.write_text("four boats\n")
    async with running(tls, how) as postbox:
        fault = await refusal(mail(postbox, how, smtp_password_file=wrong))
        assert "refuses the user name or the password (535)" in fault.text.say()
        assert fault.answer is not None
        assert fault.answer.startswith("535 ")
        nothing = mail(postbox, how, smtp_password=None, smtp_password_file=missing)
        assert "password of the mail server is missing" in (await refusal(nothing)).text.say()
        wrong.write_text(f"{PASSWORD}\n")
        assert await mail(postbox, how, smtp_password_file=wrong).send(ALERT) == QUEUED
    assert len(postbox.messages) == 1


async def test_an_untrusted_server_gets_neither_password_nor_message(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nobody = tmp_path / "empty.pem"
    nobody.touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(nobody))
    for how in ("starttls", "tls"):
        async with running(tls, how) as postbox:
            fault = await refusal(mail(postbox, how))
        assert "does not prove its identity" in fault.text.say()
        assert postbox.messages == []


async def test_a_server_without_encryption_gets_nothing(tls: ssl.SSLContext) -> None:
    async with running() as postbox:
        fault = await refusal(mail(postbox, "starttls"))
    assert "offers no STARTTLS: nothing was sent" in fault.text.say()
    assert postbox.messages == []


async def test_a_server_that_is_away_or_refuses_is_reported() -> None:
    async with running() as postbox:
        fault = await refusal(mail(postbox, mail_to=(*TO, REFUSED)))
        assert "refuses the message (550)" in fault.text.say()
        assert fault.answer == f"550 5.1.1 <{REFUSED}>: Recipient address rejected"
    assert postbox.messages == []
    fault = await refusal(mail(postbox))
    assert fault.text.say() == "the mail server localhost cannot be reached (Connection refused)."


# A webhook.


@asynccontextmanager
async def hook(statuses: Sequence[int]) -> AsyncIterator[tuple[str, list[Any]]]:
    received: list[Any] = []

    async def take(request: web.Request) -> web.Response:
        received.append(await request.json())
        return web.Response(
            status=statuses[len(received) - 1], headers={"Location": "http://localhost:1/"}
        )

    application = web.Application()
    application.add_routes([web.post("/s3cret", take)])
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/s3cret", received
    finally:
        await runner.cleanup()


async def test_a_webhook_gets_the_same_message() -> None:
    async with hook([204, 500, 302]) as (url, received):
        assert await Webhook(url).send(ALERT) == "204 No Content"
        for status in (500, 302):
            fault = await refusal(Webhook(url))
            assert fault.text.say() == f"the webhook answers with status {status}."
    assert received[0] == {"text": f"{ALERT.subject}\n{ALERT.body}", "kind": "backup"}
    fault = await refusal(Webhook(url))
    assert fault.text.say().startswith("the webhook cannot be reached (")


def test_only_configured_channels_send(tmp_path: Path) -> None:
    plain = settings(tmp_path, webhook=None)
    assert channels(plain) == []
    both = replace(
        plain, mail=MailSettings(mail_to=TO, smtp_host=HOST), webhook="https://hooks.test/s3cret"
    )
    assert [channel.name for channel in channels(both)] == ["mail", "webhook"]
    assert "s3cret" not in repr(both)


# When what is sent.


class Sent:
    """A channel that notes what is sent, and may be away."""

    name = "mail"

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.away: Text | None = None

    async def send(self, alert: Alert) -> str:
        if self.away:
            raise NotSent(self.away)
        self.alerts.append(alert)
        return QUEUED

    def subjects(self) -> list[str]:
        subjects = [alert.subject.partition("] ")[2] for alert in self.alerts]
        self.alerts.clear()
        return subjects


class Machine:
    """A node whose problems come and go, minute by minute."""

    def __init__(self, store: Store, settings: Settings, health: Health) -> None:
        self.store, self.settings = store, settings
        self.health = replace(health, problems=())
        self.channel, self.unsent = Sent(), dict[str, Text]()
        self.start()

    def start(self, language: str = "en") -> None:
        async def health() -> Health:
            return self.health

        self.alerts = Alerts(
            self.channel,
            health,
            self.store,
            self.settings,
            language=language,
            unsent=self.unsent,
            retry=Backoff(120, 3600, least=1),
        )

    async def go_on(self, *kinds: ProblemKind, minutes: int = 0) -> list[str]:
        """Have these problems from now on, and return the subjects sent after so many minutes."""
        problems = tuple(Problem(kind, Weight.WARN, TITLES[kind]) for kind in kinds)
        for passed in range(minutes + 1):
            at = self.health.at + (MINUTE if passed else timedelta())
            self.health = replace(self.health, at=at, problems=problems)
            await self.alerts.look()
        return self.channel.subjects()


@pytest.fixture
async def machine(file: Store, tmp_path: Path) -> Machine:
    town = ReleasedTown(file, settings(tmp_path))
    return Machine(file, town.settings, await watch_of(town).health())


DISK, BACKUP, SILENCE = ProblemKind.DISK, ProblemKind.BACKUP, ProblemKind.SILENCE
BEGINS, ENDS = "Problem: the disk is nearly full", "Over: the disk is nearly full"
LONG = AFTER // MINUTE


async def test_a_problem_sends_one_message_when_it_begins_and_one_when_it_ends(
    machine: Machine,
) -> None:
    assert await machine.go_on(DISK, minutes=LONG - 1) == []
    assert await machine.go_on(DISK, minutes=1) == [BEGINS]
    assert await machine.go_on(DISK, minutes=3 * LONG) == []
    assert await machine.go_on(minutes=LONG - 1) == []
    assert await machine.go_on(minutes=2) == [ENDS]
    assert await machine.go_on(minutes=LONG) == []


async def test_a_problem_of_a_few_minutes_raises_no_alert(machine: Machine) -> None:
    for _ in range(4):
        assert await machine.go_on(DISK, minutes=LONG - 1) == []
        assert await machine.go_on(minutes=2) == []
    await machine.go_on(DISK, minutes=LONG)
    for _ in range(4):
        assert await machine.go_on(minutes=LONG - 1) == []
        assert await machine.go_on(DISK, minutes=2) == []


async def test_silent_members_raise_an_alert_after_hours(machine: Machine) -> None:
    assert await machine.go_on(SILENCE, minutes=179) == []
    assert await machine.go_on(SILENCE, minutes=1) == ["Problem: many members are silent"]


async def test_a_restart_repeats_and_forgets_no_alert(machine: Machine) -> None:
    assert await machine.go_on(DISK, BACKUP, minutes=LONG) == [
        BEGINS,
        "Problem: no recent backup",
    ]
    machine.start()
    assert await machine.go_on(DISK, BACKUP, minutes=2 * LONG) == []
    machine.start()
    assert await machine.go_on(BACKUP, minutes=2 * LONG) == [ENDS]


async def test_stored_problems_stay_open_while_the_database_is_away(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await machine.go_on(BACKUP, minutes=LONG)
    database = machine.health.database

    def away() -> Any:
        raise OperationalError("SELECT", {}, Exception("no route"))

    with monkeypatch.context() as while_away:
        while_away.setattr(machine.store, "reading", away)
        while_away.setattr(machine.store, "writing", away)
        machine.health = replace(machine.health, database=None)
        subjects = await machine.go_on(ProblemKind.DATABASE, minutes=2 * LONG)
        assert subjects == ["Problem: the database cannot be used"]
    machine.health = replace(machine.health, database=database)
    assert await machine.go_on(BACKUP, minutes=LONG) == ["Over: the database cannot be used"]
    machine.start()
    assert await machine.go_on(BACKUP, minutes=LONG) == []


async def test_a_failed_message_is_reported_and_sent_later(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.channel.away = text("the mail server {host} refuses the message ({code}).").fill(
        host=HOST, code=451
    )
    assert await machine.go_on(DISK, minutes=LONG + 5) == []
    assert machine.unsent == {"mail": machine.channel.away}
    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    assert [await machine.alerts.look() for _ in range(7)][-1] == 3600
    machine.channel.away = None
    assert await machine.go_on(DISK) == [BEGINS]
    assert machine.unsent == {}
    assert await machine.alerts.look() == 60


async def test_a_message_is_in_the_collective_s_language_and_leads_to_its_overview(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(total=10**11, used=93 * 10**9, free=7 * 10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    problems = tuple(await of_disk(machine.settings.folder))
    machine.settings = replace(machine.settings, page=PageSettings(names=("energies.test",)))
    machine.start("fr")
    machine.health = replace(machine.health, problems=problems)
    await machine.alerts.look()
    machine.health = replace(machine.health, at=machine.health.at + AFTER)
    await machine.alerts.look()
    (alert,) = machine.channel.alerts
    assert alert.subject == f"[{machine.settings.name}] Problème\u00a0: le disque est presque plein"
    assert "Le disque est plein à 93\u202f%" in alert.body
    assert alert.body.endswith("Vue d’ensemble\u00a0: https://energies.test/administration/\n")
    since = (machine.health.at - AFTER).isoformat()
    assert alert.facts == {
        "collective": machine.settings.identifier,
        "kind": "disk",
        "state": "problem",
        "since": since,
    }
