"""Modules that are loaded once for forked commands.

What is measured of loading the program is saved, so that no fork of it saves that again; and a
test may say how long SQLite waits for other programs.
"""

import os

from coverage import Coverage

from consometers_node.store import database


class _BusyTimeout:
    def __str__(self) -> str:
        return os.environ.get("WAITS_MS", "10000")


database._ALONE_BUSY_MS = _BusyTimeout()  # type: ignore[assignment]

if measured := Coverage.current():
    measured.save()
