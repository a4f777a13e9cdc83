"""Home Assistant's log, read as records."""

from dataclasses import dataclass
import re
from typing import Final

_HEAD: Final = re.compile(
    r"^(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\S*) (?P<level>[A-Z]+)"
    r" \([^)]*\) \[(?P<logger>[^]]+)\] (?P<message>.*)$"
)


@dataclass(frozen=True, kw_only=True)
class LogRecord:
    """A message, and in `detail` the lines under it: a traceback, as a rule."""

    time: str
    level: str
    logger: str
    message: str
    detail: str = ""

    @property
    def is_problem(self) -> bool:
        return self.level not in ("DEBUG", "INFO")

    def is_about(self, domain: str) -> bool:
        """Whether a custom integration logged it, or is named in it, or is in its traceback."""
        ours = f"custom_components/{domain}/"
        return domain in self.logger or domain in self.message or ours in self.detail


def parse_log(text: str) -> list[LogRecord]:
    """Read a log. Lines before the first record, as a program prints them, have level PRINTED."""
    records: list[LogRecord] = []
    head: dict[str, str] = {"time": "", "level": "PRINTED", "logger": "", "message": ""}
    detail: list[str] = []
    for line in text.splitlines():
        if match := _HEAD.match(line):
            records.append(LogRecord(**head, detail="\n".join(detail)))
            head, detail = match.groupdict(), []
        else:
            detail.append(line)
    records.append(LogRecord(**head, detail="\n".join(detail)))
    return [record for record in records if record.level != "PRINTED" or record.detail.strip()]
