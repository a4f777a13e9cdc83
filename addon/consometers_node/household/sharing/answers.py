"""What a household answers: its history comes from Home Assistant, and may still be on its way."""

from datetime import datetime, timedelta
from typing import override

from ...permission import Permitted
from ...quoalise import Role
from ...series import Range
from ...sharing.answers import Answers
from ...store.connection import AsyncConnection
from ...store.coverage import coverage
from ..recorder.backfill import days_to_read, still_to_read

_JUST_NOW = timedelta(days=1)


class HouseholdAnswers(Answers):
    """Answers from the records read from Home Assistant."""

    role = Role.HOUSEHOLD

    @override
    async def still_reads(
        self, connection: AsyncConnection, grant: Permitted, records: Range, now: datetime
    ) -> bool:
        """Return whether something is still unread. That today lags behind is normal."""
        covered = await coverage(connection, grant.series_id)
        past = records.clip(Range(records.start, max(records.start, now - _JUST_NOW)))
        left = still_to_read(days_to_read(grant.series, grant.records, now), covered)
        return covered is None or any(past.clip(days) for days in left)
