"""Alerts on the command line, and sent by a node that runs, through a real mail server."""

from pathlib import Path

import pytest

from demo.hass import free_port
from testing.commands.fixtures import Run, Start, ended
from testing.mail import HOST, QUEUED, REFUSED, running as postbox_running

TO = "contact@energies.test"

pytestmark = pytest.mark.usefixtures("socket_enabled")


def variables(port: int, to: str = TO) -> dict[str, str]:
    return {
        "CONSOMETERS_ALERTS_MAIL_TO": to,
        "CONSOMETERS_ALERTS_SMTP_HOST": HOST,
        "CONSOMETERS_ALERTS_SMTP_PORT": str(port),
        "CONSOMETERS_ALERTS_SMTP_SECURITY": "none",
    }


async def test_a_test_message_shows_the_answer_of_the_server(run: Run, coop: Path) -> None:
    assert await run.condition("alerts", "test") == "no-alerts"
    async with postbox_running() as postbox:
        sent = variables(postbox.port)
        result = await run.ok("alerts", "test", language="fr", **sent)
        assert result.out == f"mail\u00a0: envoyé. Le serveur répond\u00a0: {QUEUED}\n"
        assert await run.json("alerts", "test", **sent) == {"mail": QUEUED}
        refused = variables(postbox.port, REFUSED)
        assert await run.condition("alerts", "test", **refused) == "not-sent"
        result = await run("alerts", "test", **refused)
        assert result.err == (
            f"mail: the mail server {HOST} refuses the message (550)."
            f" The server answers: 550 5.1.1 <{REFUSED}>: Recipient address rejected\n"
        )
    subjects = [message["Subject"] for message in postbox.messages]
    assert subjects == [
        "[Énergies de Kersabiec] Message d’essai",
        "[Énergies de Kersabiec] Test message",
    ]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"MAIL_TO": ""}, "alerts.mail_to"),
        ({"SMTP_HOST": ""}, "alerts.smtp_host"),
        ({"MAIL_TO": "contact"}, "write e-mail addresses"),
        ({"MAIL_FROM": "a@b.test, c@d.test"}, "write an e-mail address"),
        ({"SMTP_USER": "contact"}, "the password would be sent in clear"),
        ({"WEBHOOK": "http://chat.example.org/hook"}, "begins with https://"),
    ],
)
async def test_settings_that_cannot_send_are_refused(
    run: Run, coop: Path, changed: dict[str, str], message: str
) -> None:
    changed = {f"CONSOMETERS_ALERTS_{name}": value for name, value in changed.items()}
    result = await run("alerts", "test", **variables(25) | changed)
    assert result.status == 1
    assert message in result.err


async def test_a_running_node_reports_a_lasting_problem(run: Run, start: Start, coop: Path) -> None:
    """It is not on the network, which takes a hundredth of ten minutes here."""
    async with postbox_running() as postbox:
        process = await start(
            *("run", "--role", "collective"),
            **variables(postbox.port),
            CONSOMETERS_PASSWORD="x",
            CONSOMETERS_XMPP_HOST="127.0.0.1",
            CONSOMETERS_XMPP_PORT="1",
            CONSOMETERS_PAGE_PORT=str(free_port()),
            CONSOMETERS_HASTE="100",
        )
        await postbox.came.wait()
        process.terminate()
        await ended(process)
    assert postbox.messages[0]["Subject"] == "[Énergies de Kersabiec] Problem: not on the network"
