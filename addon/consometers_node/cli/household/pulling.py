"""Series of other peers in this home's Home Assistant: `import`, `imports`."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, override

import typer

from consometers_node.cli.core.errors import CliError, misused
from consometers_node.cli.core.locale import say
from consometers_node.cli.core.options import Common, Peer, Urn
from consometers_node.cli.core.output import Columns, Json
from consometers_node.cli.core.times import shown
from consometers_node.cli.core.usage import Commands
from consometers_node.household.statistics_import.external_statistic import (
    ImportProgress,
    StatisticsImport,
)
from consometers_node.household.statistics_import.hours import SeriesKind
from consometers_node.household.statistics_import.pulling import StoredImportState, import_of
from consometers_node.i18n.protocol import SENTENCES, OurWords
from consometers_node.i18n.text import text, verbatim
from consometers_node.store import Store
from consometers_node.store.household.pulled import (
    OthersStatistic,
    Pulled,
    add_pulled,
    all_pulled,
    remove_pulled,
)
from consometers_quoalise import Identifier, Malformed
from consometers_quoalise.records import identifier
from consometers_quoalise_network import Asking
from consometers_quoalise_network.address import full
from consometers_quoalise_network.transport import first_of
from consometers_quoalise_xmpp.trial import aside, online

from . import home_assistant
from .command import HouseholdSession, run

_KNOWN = text("{statistic} is already imported: “imports” shows its progress.")
_OTHERS = text(
    "{statistic} was imported from another peer, whose records Home Assistant keeps under it:"
    " choose another name."
)
_RUNNING = text("The running node now imports {statistic}: “imports” shows its progress.")
_PULLING = text("Months of {statistic}")
_PULLED = text(
    "{statistic} is up to date: {rows} hours were written. “consometers-node run” keeps it up to"
    " date."
)
_REMOVED = text("{statistic} is no longer imported. Its past stays in Home Assistant.")
_UNKNOWN = text("{statistic} is not imported.")
_NONE = text("No series is imported.")
_COLUMNS: Columns[Pulled] = {
    text("Statistic"): lambda pulled: pulled.statistic,
    text("Peer"): lambda pulled: pulled.jid,
    text("Series", context="one each"): lambda pulled: pulled.identifier,
    text("Until", context="last record"): lambda pulled: (
        pulled.until and pulled.until.astimezone().isoformat(" ", "minutes")
    ),
    text("Problem"): lambda pulled: pulled.problem,
}

commands = Commands(run)


@commands.add(
    "import",
    text(
        "For homes without a dongle: the series becomes an external statistic of Home Assistant,"
        " for the Energy dashboard. Load curves in W, daily energies and registers in Wh can be"
        " imported. The Home Assistant token must belong to an administrator."
    ),
)
def import_(
    peer: Peer,
    series: Urn,
    statistic: Annotated[
        str,
        typer.Argument(
            metavar=say("STATISTIC"),
            help=say("The name of the statistic, such as consometers:grid."),
        ),
    ],
    common: Common,
    name: Annotated[
        str | None,
        typer.Option(
            metavar=say("NAME"),
            help=say("Its name on the dashboard."),
        ),
    ] = None,
) -> None:
    """Pull a series, at once and from then on."""
    output = common.output
    asked = _read_identifier(series)
    pulled = Pulled(
        statistic=statistic,
        jid=full(peer),
        identifier=str(asked),
        name=name or statistic,
        added_at=datetime.now(UTC),
    )

    async def work(session: HouseholdSession) -> None:
        store = session.store
        SeriesKind.from_identifier(asked)
        async with store.writing() as connection:
            try:
                is_new = await add_pulled(connection, pulled)
            except OthersStatistic as fault:
                raise misused(statistic, _OTHERS.fill(statistic=statistic)) from fault
            if not is_new:
                raise misused(statistic, _KNOWN.fill(statistic=statistic))
        runs = await session.look_again()
        rows, problem = None, None
        if not runs:
            try:
                rows, problem = await _pull(session, pulled)
            except BaseException:
                async with store.writing() as connection:
                    await remove_pulled(connection, statistic)
                raise
        if output.as_json:
            document: dict[str, Json] = {"statistic": statistic, "running": runs}
            output.document(document | {"rows": rows, "problem": problem})
        elif runs:
            output.say(_RUNNING, statistic=statistic)
        else:
            output.say(_PULLED, statistic=statistic, rows=rows)
            if problem is not None:
                output.say(problem)

    run(common, work)


@commands.add(
    "imports",
    text("Without --remove: the progress of each import, and any problem."),
)
async def imports(
    session: HouseholdSession,
    remove: Annotated[
        str | None,
        typer.Option(
            metavar=say("STATISTIC"),
            help=say("Stop importing this series."),
        ),
    ] = None,
) -> None:
    """List pulled series, or stop pulling one."""
    store, output = session.store, session.output
    if remove is not None:
        async with store.writing() as connection:
            if not await remove_pulled(connection, remove):
                raise misused(remove, _UNKNOWN.fill(statistic=remove))
        await session.look_again()
    async with store.reading() as connection:
        pulled = await all_pulled(connection)
    if remove is not None and not output.as_json:
        output.say(_REMOVED, statistic=remove)
        return
    output.listing(pulled, _document, _COLUMNS, _NONE)


def _read_identifier(typed: str) -> Identifier:
    try:
        return identifier.identifier(typed, "URN")
    except Malformed as error:
        raise misused("URN", SENTENCES[error.code].fill(found=typed)) from None


async def _pull(session: HouseholdSession, pulled: Pulled) -> tuple[int, str | None]:
    """Pull all there is, once; give how many hours were written, and what is missing of it.

    Raises `CliError` where nothing could be pulled.
    """
    store, output = session.store, session.output
    who = await session.account()
    first = _FirstRound(store, pulled.statistic)
    connection = aside(who, output.language, OurWords)
    asking = Asking(connection)
    rows = 0
    async with home_assistant.source_of(store) as source, online(connection):
        words = _PULLING.fill(statistic=pulled.statistic)
        with output.progress(words, 1) as reached:

            def progress(month: ImportProgress) -> None:
                nonlocal rows
                rows += month.rows
                reached(month.done / month.total)

            importing = StatisticsImport(
                import_of(pulled),
                asking,
                source.writer,
                first,
                progress=progress,
                language=output.language,
            )
            running = asyncio.create_task(importing.run())
            try:
                await first_of(running, first.over)
            finally:
                running.cancel()
                await asyncio.wait({running})
    if first.words is not None and not first.some:
        raise CliError("not-imported", verbatim(first.words))
    return rows, first.words


class _FirstRound(StoredImportState):
    """Ends once everything was requested, or something failed."""

    def __init__(self, store: Store, statistic: str) -> None:
        super().__init__(store, statistic)
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.some = False
        self.words: str | None = None

    @override
    async def moved(self, until: datetime) -> None:
        self.some = True
        await super().moved(until)

    @override
    async def problem(self, words: str | None) -> None:
        self.words = words
        await super().problem(words)
        if not self.over.done():
            self.over.set_result(None)


def _document(series: Pulled) -> Json:
    return {
        "statistic": series.statistic,
        "jid": series.jid,
        "identifier": series.identifier,
        "name": series.name,
        "until": shown(series.until),
        "problem": series.problem,
    }
