"""Sends a message when a problem of the node starts, and when it ends."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime, timedelta
import json
import logging
from typing import NoReturn

from sqlalchemy.exc import InterfaceError, OperationalError

from consometers_node.collective.settings import Settings
from consometers_node.i18n.text import Text, around, printed, text
from consometers_node.store import Store
from consometers_node.store.settings import set_setting, setting
from consometers_quoalise_network.backoff import Backoff

from .channels import Alert, Channel, NotSent
from .health import Health
from .problems import STORED, TITLES, ProblemKind

EVERY_S = 60.0
AFTER = timedelta(minutes=10)
"""A problem must last, or stay away, this long before it is announced."""
_SILENT_AFTER = timedelta(hours=3)
RETRY = Backoff(60, 3600)

_BEGINS = text("[{name}] Problem: {title}")
_ENDS = text("[{name}] Over: {title}")
_TEST = text("[{name}] Test message")
_BEGAN = text("{said}\n\nThis was first seen on {since}.")
_ENDED = text("This problem is over: {title}.\n\nIt was first seen on {since}.")
_TESTED = text(
    "This is what an alert of your collective looks like. You receive a message when a problem"
    " begins, and another when it is over."
)
_SEE = text("Overview: {url}")

_UNSENT = text("An alert could not be sent: {said}")
_LOGGER = logging.getLogger(__name__)


class Alerts:
    """Sends the alerts of one channel.

    What was announced is stored, so that a new start repeats nothing. `unsent` gets the reason of
    a failure under the name of the channel, as long as it lasts.
    """

    def __init__(
        self,
        channel: Channel,
        health: Callable[[], Awaitable[Health]],
        store: Store,
        settings: Settings,
        *,
        language: str,
        unsent: dict[str, Text],
        every_s: float = EVERY_S,
        retry: Backoff = RETRY,
        after: timedelta = AFTER,
    ) -> None:
        self._channel = channel
        self._health = health
        self._store = store
        self._settings = settings
        self._language = language
        self._unsent = unsent
        self._every_s = every_s
        self._retry = retry
        self._after = after
        self._changed_at: dict[ProblemKind, tuple[bool, datetime]] = {}
        """Whether there is a problem of a kind, and since when."""
        self._failures = 0
        self._announced: dict[ProblemKind, datetime] | None = None
        self._is_stored = True
        self._key = f"alerts.{channel.name}"

    async def run(self) -> NoReturn:
        while True:
            delay_s = await self.look()
            await asyncio.sleep(delay_s)

    async def look(self) -> float:
        """Send what is due, and return in how many seconds to look again."""
        health = await self._health()
        try:
            if self._announced is None:
                self._announced = await self._load()
            announced = self._announced
            for kind, alert in self._due(health, announced):
                await self._channel.send(alert)
                if announced.pop(kind, None) is None:
                    announced[kind] = self._changed_at[kind][1]
                self._is_stored = False
                await self._save(announced)
            await self._save(announced)
        except NotSent as fault:
            if self._unsent.get(self._channel.name) != fault.text:
                _LOGGER.warning(around(_UNSENT, fault.text))
            self._unsent[self._channel.name] = fault.text
            self._failures += 1
            return max(self._every_s, self._retry.seconds(self._failures - 1))
        except InterfaceError, OperationalError:
            return self._every_s  # What is not stored yet is stored once the database is back.
        self._failures = 0
        self._unsent.pop(self._channel.name, None)
        return self._every_s

    def _due(
        self, health: Health, announced: Mapping[ProblemKind, datetime]
    ) -> Iterator[tuple[ProblemKind, Alert]]:
        """Yield what to announce, of the kinds that can be seen."""
        unseen = STORED if health.database is None else frozenset()
        for kind in ProblemKind:
            if kind is ProblemKind.ALERTS or kind in unseen:
                continue
            failing = kind in health.kinds
            before, changed_at = self._changed_at.get(kind, (None, health.at))
            if failing is not before:
                changed_at = health.at
            self._changed_at[kind] = failing, changed_at
            if failing is (kind in announced):
                continue
            after = _SILENT_AFTER if failing and kind is ProblemKind.SILENCE else self._after
            if health.at - changed_at >= after:
                yield kind, self._alert(kind, health, announced.get(kind, changed_at))

    def _alert(self, kind: ProblemKind, health: Health, since: datetime) -> Alert:
        """Write the message that a problem started, or is over."""
        sentences = [
            self._say(problem.words) for problem in health.problems if problem.kind is kind
        ]
        title = self._say(TITLES[kind])
        at = since.astimezone(self._settings.time_zone).strftime("%Y-%m-%d %H:%M")
        subject, body = (_BEGINS, _BEGAN) if sentences else (_ENDS, _ENDED)
        facts = {
            "collective": self._settings.identifier,
            "kind": kind,
            "state": "problem" if sentences else "over",
            "since": since.isoformat(),
        }
        return _written(
            self._settings,
            self._language,
            self._say(subject).format(name=self._settings.name, title=title),
            self._say(body).format(said="\n".join(sentences), title=title, since=at),
            facts,
        )

    def _say(self, words: Text) -> str:
        return printed(words, self._language)

    async def _load(self) -> dict[ProblemKind, datetime]:
        async with self._store.reading() as connection:
            stored = json.loads(await setting(connection, self._key) or "{}")
        return {ProblemKind(kind): datetime.fromisoformat(at) for kind, at in stored.items()}

    async def _save(self, announced: Mapping[ProblemKind, datetime]) -> None:
        if self._is_stored:
            return
        async with self._store.writing() as connection:
            document = json.dumps(announced, default=datetime.isoformat)
            await set_setting(connection, self._key, document)
        self._is_stored = True


def test_alert(settings: Settings, language: str) -> Alert:
    """Return a test message for a channel."""
    subject = printed(_TEST, language).format(name=settings.name)
    facts = {"collective": settings.identifier, "kind": None, "state": "test", "since": None}
    return _written(settings, language, subject, printed(_TESTED, language), facts)


def _written(
    settings: Settings, language: str, subject: str, body: str, facts: Mapping[str, str | None]
) -> Alert:
    """Return a message, with the address of the administration where it has a name."""
    if settings.page.names:
        url = f"https://{settings.page.names[0]}/administration/"
        body = f"{body}\n\n{printed(_SEE, language).format(url=url)}"
    return Alert(subject, f"{body}\n", facts)
