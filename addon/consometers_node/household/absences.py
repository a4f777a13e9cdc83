"""When Home Assistant was off, as far as a node can know that was not always there to see it.

What its recorder compiled of that time is no measure: `reading` leaves it out.
"""

from datetime import datetime

from ..series import Range


def absence(last_seen: datetime | None, started: datetime | None, now: datetime) -> Range | None:
    """Return when Home Assistant was off, or may have been; None if it was not, or nobody knows.

    `last_seen` is when it was last known to run, None before the first time; `started` since when
    it runs, as `Recorder.started` tells, None while that tells nothing: then it has only begun.

    An absence begins when it was last seen, for whoever was off meanwhile cannot tell how long it
    ran. Where clocks were put back, and it seems to run since before it was last seen, or to have
    been seen later than now, nothing is made of that.
    """
    if last_seen is None:
        return None
    until = now if started is None else started
    return Range(last_seen, until) if until > last_seen else None
