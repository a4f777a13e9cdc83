"""Alert messages when a problem starts and ends: `alerts test` sends one."""

import asyncio

from consometers_node.cli.core.errors import CliError
from consometers_node.cli.core.options import Ours
from consometers_node.cli.core.output import Json
from consometers_node.cli.core.usage import Commands
from consometers_node.collective.monitoring.alerts import test_alert
from consometers_node.collective.monitoring.channels import NotSent, channels
from consometers_node.i18n.text import around, text

from .command import settings_of

_NO_CHANNEL = text(
    "No alert is set up: set alerts.mail_to and alerts.smtp_host, or alerts.webhook, in the"
    " settings."
)
_SENT = text("{name}: sent. The server answers: {answer}")
_NOT_SENT = text("{name}: {said}")
_WITH_ANSWER = text("{said} The server answers: {answer}")

commands = Commands()


@commands.add(
    "test",
    text("The message goes to everyone who receives alerts; the answer of the server is shown."),
)
def send(common: Ours) -> None:
    """Send a test message."""
    output, settings = common.output, settings_of(common)
    ways = channels(settings)
    if not ways:
        raise CliError("no-alerts", _NO_CHANNEL)
    alert = test_alert(settings, output.catalogue_language)

    async def work() -> tuple[dict[str, Json], list[CliError]]:
        answers: dict[str, Json] = {}
        failures = []
        for way in ways:
            try:
                answers[way.name] = await way.send(alert)
            except NotSent as fault:
                words = around(_NOT_SENT, fault.text, name=way.name)
                if fault.answer is not None:
                    words = around(_WITH_ANSWER, words, answer=fault.answer)
                failures.append(CliError("not-sent", words))
        return answers, failures

    answers, failures = asyncio.run(work())
    if not output.as_json:
        for name, answer in answers.items():
            output.say(_SENT, name=name, answer=answer)
        for failure in failures[1:]:
            output.note(failure.words)
    if failures:
        raise failures[0]
    if output.as_json:
        output.document(answers)
