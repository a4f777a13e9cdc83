"""A person confirms the clock: `confirm-clock`."""

from datetime import UTC, datetime

from consometers_node.cli.core.options import Common, Ours
from consometers_node.cli.core.paths import Role, role_of
from consometers_node.cli.core.times import local, shown
from consometers_node.cli.core.usage import Commands
from consometers_node.cli.household.command import HouseholdSession, run
from consometers_node.i18n.text import text
from consometers_node.store.clock import confirm

_CONFIRMED = text("The clock is confirmed: it shows {now}. Overdue permissions expire now.")

commands = Commands()


@commands.add(
    "confirm-clock",
    text(
        "When the clock jumped far ahead or went back, the node suspends expiry and erasure by"
        " age. Set the clock; if it is right, run this command. “status” says whether the node"
        " is waiting for it. A collective then announces each erasure one day before."
    ),
)
def confirm_clock(common: Ours) -> None:
    """Confirm the clock of this computer."""
    now = datetime.now(UTC)
    if role_of(common.data, common.settings) is Role.COLLECTIVE:
        _confirm_of_collective(common)
    else:
        _confirm_of_home(common, now)
    common.output.result({"confirmed": shown(now)}, _CONFIRMED, now=local(now))


def _confirm_of_home(common: Common, now: datetime) -> None:
    async def work(session: HouseholdSession) -> None:
        async with session.store.writing() as connection:
            await confirm(connection, now)
        await session.look_again()

    run(common, work)


def _confirm_of_collective(common: Ours) -> None:
    from consometers_node.cli.collective import command as of_collective  # noqa: PLC0415  # a home has nothing of it

    of_collective.run(common, lambda session: session.actions.confirm_clock())
