"""Backups as the node knows them: backup scripts note the last of each step here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select

from consometers_node.store.collective.tables import MemberRow
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.settings import set_setting, settings_like

_PREFIX = "backup."


class BackupStep(StrEnum):
    """A step of a backup."""

    MADE = "made"
    TESTED = "tested"
    """It was put back into a scratch database, and compared."""
    COPIED = "copied"
    """It was copied off the site."""


LONGEST = {
    BackupStep.MADE: timedelta(days=3),
    BackupStep.TESTED: timedelta(days=30),
    BackupStep.COPIED: timedelta(days=3),
}
"""The maximum age of the last one: a night may fail, and a weekly test three times."""


@dataclass(frozen=True, slots=True)
class Backups:
    """The last of each step, and when the first of the members joined: nothing was to lose."""

    last: Mapping[BackupStep, datetime]
    joined_at: datetime | None

    def overdue(self, at: datetime) -> list[BackupStep]:
        """Return the steps whose last time is too long ago."""
        return [step for step, since in self.last.items() if since < at - LONGEST[step]]

    def never_done(self, at: datetime) -> list[BackupStep]:
        """Return the steps that members need and that were never done.

        A backup and its copy are due as soon as a member joined; a test follows a backup.
        """
        if self.joined_at is None:
            return []
        tested_by = self.joined_at + LONGEST[BackupStep.TESTED]
        return [
            step
            for step in BackupStep
            if step not in self.last and (step is not BackupStep.TESTED or tested_by < at)
        ]


async def note(connection: AsyncConnection, step: BackupStep, at: datetime) -> None:
    """Store when a step was last done."""
    await set_setting(connection, f"{_PREFIX}{step}", at.isoformat())


async def backups(connection: AsyncConnection) -> Backups:
    """Return the state of the backups."""
    stored = await settings_like(connection, _PREFIX)
    first = select(func.min(MemberRow.joined_at)).where(MemberRow.jid.is_not(None))
    return Backups(
        {
            BackupStep(key.removeprefix(_PREFIX)): datetime.fromisoformat(value)
            for key, value in stored.items()
        },
        (await connection.execute(first)).scalar_one(),
    )
