"""Puts a collective's node together, and runs it."""

from collections.abc import Coroutine, Iterator
from functools import partial
import logging
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from consometers_node.cli.collective import command
from consometers_node.cli.collective.command import CollectiveSession, now
from consometers_node.cli.collective.needs import unreadable
from consometers_node.cli.core import control_socket
from consometers_node.cli.core.control_socket import Status
from consometers_node.cli.core.errors import CliError
from consometers_node.cli.core.options import Ours
from consometers_node.collective.counters import PageAnswer
from consometers_node.collective.monitoring import certificates
from consometers_node.collective.monitoring.health import Watch
from consometers_node.collective.node import CollectiveNode, CollectivePace
from consometers_node.collective.outlines import BadOutlines, read_outlines
from consometers_node.collective.permissions import needs
from consometers_node.collective.settings import MetricsSettings
from consometers_node.i18n.text import around, printed, text
from consometers_node.permission import ChangedNeed, DataNeed
from consometers_node.sharing.error_messages import message_of
from consometers_node.store import Store
from consometers_node.wire import Unsayable, read_need_file
from consometers_quoalise_xmpp.trial import certificate

from .running import PAGES_LISTEN, connecting, listen, log, status, until_stopped, version

if TYPE_CHECKING:
    from aiohttp import web

_NO_ADMINISTRATION = text("There is no administration without {module}: install it.")
_METRICS_LISTEN = text("The metrics listen on port {port}.")
_LOGGER = logging.getLogger(__name__)
_NEED = text("{file}: {said}")


def run(common: Ours, log_level: str, haste: float) -> None:
    """Run a collective's node until SIGTERM or Ctrl-C."""
    log(log_level, common.output.language)
    asked = {file: _read(file) for file in command.settings_of(common).needs}
    _check_outlines(command.settings_of(common).page.outlines)

    async def work(session: CollectiveSession) -> None:
        for file, need in asked.items():
            await _offer(session.store, file, need)
        await _run(session, haste)

    command.run(common, work, waits=True)


async def _run(session: CollectiveSession, haste: float) -> None:
    """Put everything together, and run it."""
    store, settings, output = session.store, session.settings, session.output
    who = await session.account()
    async with store.reading() as connection:
        for left in await needs.unreadable(connection):
            if left.closed_at is None:
                _LOGGER.warning(unreadable(left))
    connect = connecting(output, haste)
    node = CollectiveNode(store, settings, who, connect, pace=CollectivePace().shortened(haste))
    watch = Watch(node, version())
    looking = watch.certificates.run(
        settings,
        who,
        partial(certificate, language=output.language),
        first_s=certificates.FIRST_S / haste,
        every_s=certificates.EVERY_S / haste,
    )
    works: list[Coroutine[None, None, None]] = [node.run(), looking, _serve_pages(node, watch)]
    if settings.mail is not None or settings.webhook is not None:
        works += _alerts(watch, output.catalogue_language, haste)
    if settings.metrics is not None:
        works.append(_serve_metrics(watch, settings.metrics))
    async with control_socket.listening(
        settings.folder, node.look_again, lambda language: _status(watch, language)
    ):
        await until_stopped(works)


def _status(watch: Watch, language: str) -> Status:
    """Return the status of the node, with the problems that only the running node knows."""
    problems: Status = {
        problem.kind: printed(problem.words, language) for problem in watch.running_problems(now())
    }
    return {**status(watch.node, None, language), "problems": problems}


def _alerts(watch: Watch, language: str, haste: float) -> Iterator[Coroutine[None, None, NoReturn]]:
    """Yield an alert sender for each configured channel."""
    from consometers_node.collective.monitoring import alerts  # noqa: PLC0415 - as the metrics
    from consometers_node.collective.monitoring.channels import channels  # noqa: PLC0415

    store, settings = watch.node.store, watch.node.settings
    for channel in channels(settings):
        sender = alerts.Alerts(
            channel,
            watch.health,
            store,
            settings,
            language=language,
            unsent=watch.unsent,
            every_s=alerts.EVERY_S / haste,
            retry=alerts.RETRY.shortened(haste),
            after=alerts.AFTER / haste,
        )
        yield sender.run()


async def _serve_metrics(watch: Watch, at: MetricsSettings) -> None:
    """Serve the metrics until cancelled. A port in use stops nothing else of the node."""
    from consometers_node.web.api import metrics  # noqa: PLC0415 - not loaded unless asked for

    answers = metrics.Metrics(watch, watch.node.settings.page.names)
    await listen(_METRICS_LISTEN, answers.listening, at.host, at.port)


def _read(file: Path) -> DataNeed:
    try:
        return read_need_file(file.read_bytes())
    except Unsayable as fault:
        raise CliError("data-need", around(_NEED, fault.text, file=file)) from fault


def _check_outlines(file: Path | None) -> None:
    """Refuse to start with outlines that no map can be drawn of."""
    try:
        if file is not None:
            read_outlines(file)
    except BadOutlines as fault:
        raise CliError("outlines", fault.text) from fault


async def _offer(store: Store, file: Path, need: DataNeed) -> None:
    """Offer the data need of a file to members, if it is new."""
    try:
        async with store.writing() as connection:
            await needs.offer(connection, need, now())
    except ChangedNeed as fault:
        words = message_of(fault)
        assert words is not None
        raise CliError("data-need", around(_NEED, words, file=file)) from fault


async def _serve_pages(node: CollectiveNode, watch: Watch) -> None:
    """Serve the pages until cancelled. Without them, the node does the rest."""
    # Commands never load the pages.
    from consometers_node.web.public.site import PublicSite  # noqa: PLC0415

    page = node.settings.page
    public = PublicSite(
        node.store,
        node.settings,
        version(),
        rules=node.rules,
        changes=node.changes,
        watch=watch,
        witness=node.witness,
    )

    async def count(_: web.Request, response: web.StreamResponse) -> None:
        """Count each answer, of the administration too."""
        node.counts.pages[PageAnswer.of(response.status)] += 1

    public.app.on_response_prepare.append(count)
    try:
        from consometers_node.web.admin.routes import administer  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        _LOGGER.error(_NO_ADMINISTRATION.fill(module=missing.name))  # noqa: TRY400
    else:
        administer(public.app, node.store, node.settings, version(), watch)
    await listen(PAGES_LISTEN, public.listening, page.host, page.port)
