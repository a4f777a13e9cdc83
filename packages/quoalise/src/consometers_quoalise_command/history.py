"""Past records of a series: `history`."""

from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from consometers_quoalise import History, Records, iso8601
from consometers_quoalise.records import documents
from consometers_quoalise_network import NetworkError

from .account import asking
from .errors import CommandError, command_error_of, misused
from .output import Output, clean, deliver, table
from .requests import read_identifier
from .times import local, span
from .words import Language, decimal, say

FORMATS: Final = ("text", "json", "csv", "xml")
SHOWN: Final = 60
"""Rows of a table; of a longer one, the first and the last."""


async def history(typed: Namespace, output: Output) -> None:
    """Print or write the records of a range."""
    language, file = output.language, typed.output
    asked = read_identifier(typed.series, language)
    format_ = _format(typed, output)
    start, end = span(typed.start, typed.end, datetime.now(UTC), language)
    history = History(typed.peer, asked, start, end)
    with output.progress("asking", peer=typed.peer) as progress:

        def reached(until: datetime) -> None:
            progress.reached((until - start) / (end - start))

        try:
            async with asking(typed, output, progress) as peer:
                async for page in peer.history(typed.peer, asked, start, end, reached):
                    history.add(page)
        except (CommandError, NetworkError) as error:
            raise _incomplete(error, history, language) from error
    deliver(_document(history, format_, file, language), file)
    if file is not None:
        if output.as_json:
            output.document({"file": str(file), "records": len(history)})
        else:
            output.note("written", count=len(history), file=file)


def _format(typed: Namespace, output: Output) -> str:
    chosen: str | None = typed.format
    file: Path | None = typed.output
    if file is None:
        if output.as_json and chosen not in {None, "json"}:
            raise misused("two_formats", output.language, format=chosen)
        return "json" if output.as_json else chosen or "text"
    if file.is_dir():
        raise misused("a_folder", output.language, file=file)
    suffix = file.suffix.removeprefix(".")
    if chosen is None and suffix not in FORMATS[1:]:
        raise misused("no_format", output.language, file=file)
    return chosen or suffix


def _document(history: History, format_: str, file: Path | None, language: Language) -> bytes:
    match format_:
        case "json":
            return documents.json_bytes(history)
        case "csv":
            return documents.csv_bytes(history)
        case "xml":
            try:
                return documents.xml_bytes(history)
            except documents.MetadataChanges:
                assert history.changed is not None
                sentence = say("metadata_changes", language, time=iso8601.utc(history.changed))
                raise CommandError("metadata-changes", sentence) from None
        case _:
            text = as_text(history, language, shortened=file is None)
            return (clean(text) + "\n").encode()


def as_text(history: History, language: Language, *, shortened: bool) -> str:
    """Return the history for people: tables, each with a summary."""
    parts = [
        part
        for series in history.records
        for part in _parts(history, series, language, shortened=shortened)
    ]
    if not parts:
        start, end = local(history.start), local(history.end)
        facts = {"peer": history.peer, "series": history.asked, "start": start, "end": end}
        parts.append(say("no_record", language, **facts))
    return "\n".join(parts)


def _parts(history: History, series: Records, language: Language, *, shortened: bool) -> list[str]:
    rows = [
        [local(time), decimal(value, language), series.unit or ""]
        for time, value in series.values.items()
    ]
    left_out = len(rows) - SHOWN if shortened else 0
    if left_out > 0:
        rows[SHOWN // 2 : -SHOWN // 2] = [["…", "", ""]]
    parts = [
        table([say(key, language) for key in ("start", "value", "unit")], rows),
        _summary(series, language),
    ]
    if missing := history.missing(series):
        parts.append(say("missing", language, count=missing, interval=history.interval))
    if left_out > 0:
        parts.append(say("left_out", language, count=left_out))
    return parts


def _summary(series: Records, language: Language) -> str:
    times, values = list(series.values), list(series.values.values())
    facts = {
        "count": len(values),
        "series": series.name,
        "first": local(times[0]),
        "last": local(times[-1]),
        "low": min(values),
        "high": max(values),
        "mean": round(sum(values) / len(values), 1),
    }
    return say("summary", language, **facts, unit=f" {series.unit}" if series.unit else "")


def _incomplete(
    error: CommandError | NetworkError, history: History, language: Language
) -> CommandError:
    command_error = command_error_of(error, language)
    assert command_error is not None
    if not len(history):
        return command_error
    last = max(max(series.values) for series in history.records)
    reason = say("incomplete", language, time=iso8601.utc(last))
    sentence = f"{command_error.sentence}\n{reason}"
    return CommandError(command_error.condition, sentence, more=command_error.more)
