"""What a collective requests from its members: `needs list`, `check`, `offer`, `close`."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
import re
from typing import Annotated

import typer

from consometers_node.cli.core.errors import CliError, mistyped, misused
from consometers_node.cli.core.locale import say
from consometers_node.cli.core.options import Ours
from consometers_node.cli.core.output import Columns, Json
from consometers_node.cli.core.times import day
from consometers_node.cli.core.usage import Commands
from consometers_node.collective.permissions import member_permissions, needs
from consometers_node.collective.permissions.need_wording import omissions
from consometers_node.collective.privacy.export import values
from consometers_node.collective.publication.policy import InForce
from consometers_node.i18n.text import Text, around, text
from consometers_node.permission import BadNeed, DataNeed, DataNeedSeries, Identification, State
from consometers_node.permission.need import MAX_DAYS
from consometers_node.series import Direction, Interval, Quantity
from consometers_node.sharing import consent_text as shared_words
from consometers_node.wire import read_need_file
from consometers_node.wire.needs import days
from consometers_quoalise import iso8601
from consometers_quoalise.errors import Malformed

from .command import CollectiveSession, now, run

_FILE = say("FILE")
_PLACE = re.compile(r"(\w+)(?:\[\d+\])?$")
"""The last step of the path to what cannot be read, which is called as its option."""
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]+)*")
_NOTHING = text("No data request: create one with “consometers-node needs offer FILE”.")
_NEW = text("“{need}”, version {version}, is created.")
_NEWER = text(
    "“{need}”, version {version}, is created. Members who answered an older version "
    "are asked again; their permissions continue until then."
)
_SAME = text("“{need}”, version {version}, already exists.")
_COMPLETE = text(
    "“{need}”, version {version}, says what is published. If it does not exist yet, create it with"
    " “consometers-node needs offer”."
)
_OMITS = text(
    "“{need}”, version {version}, can be created, and leaves out what members should read:"
)
_CLOSED = text("“{need}” is stopped. Existing permissions continue until they end.")
_ONE_OR_THE_OTHER = text(
    "give a file, or all of --id, --title, --purpose, --series, --contact and --policy."
)
_NOT_BY_LANGUAGE = text("write the language first: fr=Le prochain toit.")
_LENGTH = text("write a duration from {least} to {most} days, such as P6M.")
_EMPTY_OR_LONG = text("this is empty, or too long.")
_UNREADABLE = text("“{need}”, version {version}, cannot be read, and is left out: {said}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedOptions:
    """A data need, from the command line's options."""

    id: Annotated[
        str | None,
        typer.Option(help=say("Its name, such as roof.")),
    ] = None
    title: Annotated[
        list[str] | None,
        typer.Option(
            metavar="fr=…",
            help=say("Its title, once for each language."),
        ),
    ] = None
    purpose: Annotated[
        list[str] | None,
        typer.Option(
            metavar="fr=…",
            help=say("The purpose; repeat for each language."),
        ),
    ] = None
    recipients: Annotated[
        list[str] | None,
        typer.Option(
            metavar="fr=…",
            help=say("Other recipients of the records; nobody by default."),
        ),
    ] = None
    series: Annotated[
        list[Direction] | None,
        typer.Option(
            metavar="consumption|injection|production",
            help=say("A requested series; repeat for each."),
        ),
    ] = None
    interval: Annotated[
        Interval,
        typer.Option(metavar="PT5M|PT30M|PT1H|P1D", help=say("The resolution.")),
    ] = Interval.PT1H
    history: Annotated[
        str,
        typer.Option(metavar="P1Y", help=say("The history, in days.")),
    ] = "P1Y"
    duration: Annotated[
        str,
        typer.Option(metavar="P2Y", help=say("For how long.")),
    ] = "P2Y"
    retention: Annotated[
        str,
        typer.Option(metavar="P6M", help=say("How long records are kept after the end.")),
    ] = "P6M"
    identification: Annotated[
        Identification,
        typer.Option(
            metavar="pseudonym|delivery-point|name",
            help=say(
                "The identification of a device; “name” asks sites for permission to show their "
                "name."
            ),
        ),
    ] = Identification.PSEUDONYM
    contact: Annotated[
        str | None,
        typer.Option(help=say("The contact address.")),
    ] = None
    policy: Annotated[
        str | None,
        typer.Option(metavar="https://…", help=say("The data policy.")),
    ] = None

    @property
    def least(self) -> tuple[object, ...]:
        """Options without a default."""
        return self.id, self.title, self.purpose, self.series, self.contact, self.policy

    def need(self, controller: str) -> DataNeed:
        """Return the data need as members will read it. Raises `CliError`."""
        try:
            return needs.as_members_read(self._need(controller))
        except BadNeed as fault:
            raise _bad(fault.field) from fault
        except Malformed as fault:
            option_name = _PLACE.search(fault.place)
            option = f"--{option_name[1]}" if option_name else fault.place
            raise mistyped(option, fault) from fault

    def _need(self, controller: str) -> DataNeed:
        return DataNeed(
            id=self.id or "",
            version=1,
            title=_by_language(self.title, "--title"),
            purpose=_by_language(self.purpose, "--purpose"),
            recipients=_by_language(self.recipients, "--recipients"),
            controller=controller,
            contact=self.contact or "",
            policy=self.policy or "",
            series=frozenset(
                DataNeedSeries(direction, kind)
                for direction in self.series or ()
                for kind in Quantity
            ),
            interval=self.interval,
            history_days=_days(self.history, "--history"),
            duration_days=_days(self.duration, "--duration"),
            retention_days=_days(self.retention, "--retention"),
            identification=self.identification,
        )


NeedFile = Annotated[
    Path | None,
    typer.Argument(
        metavar=_FILE,
        help=say("The data request, in TOML. See docs/collective.md."),
    ),
]

commands = Commands(run, Ours)


@commands.add(
    "list",
    text("List the data requests, and the number of answers."),
)
async def list_needs(
    session: CollectiveSession,
    all_versions: Annotated[
        bool,
        typer.Option(
            "--all",
            help=say("Include stopped requests."),
        ),
    ] = False,
) -> None:
    """List the data needs."""
    output = session.output
    async with session.store.reading() as connection:
        listed = [
            own_need
            for own_need in await needs.all_needs(connection)
            if all_versions or own_need.closed_at is None
        ]
        counts = Counter(
            (permission.need.id, permission.need.version)
            for permission in await member_permissions.all_permissions(connection)
            if permission.state is State.GRANTED
        )
        left_out = await needs.unreadable(connection)

    def granting(own_need: needs.OwnNeed) -> int:
        return counts[own_need.need.id, own_need.need.version]

    def asked(own_need: needs.OwnNeed) -> str:
        need = own_need.need
        words = [shared_words.DIRECTIONS[direction] for direction in need.directions]
        return ", ".join(map(output.translated, [*words, shared_words.INTERVALS[need.interval]]))

    columns: Columns[needs.OwnNeed] = {
        text("Need"): lambda own_need: own_need.need.id,
        text("Version"): lambda own_need: own_need.need.version,
        text("Title"): lambda own_need: Text(own_need.need.title),
        text("Asked"): asked,
        text("Since", context="list on the command line"): lambda own_need: day(
            own_need.offered_at
        ),
        text("Until"): lambda own_need: day(own_need.closed_at),
        text("Members"): granting,
    }
    output.listing(
        listed, lambda own_need: _document(own_need, granting(own_need)), columns, _NOTHING
    )
    for left in left_out:
        if all_versions or left.closed_at is None:
            output.note(unreadable(left))


@commands.add(
    "check",
    text(
        "Check a data request, from a file or from options, before you create it. Warnings say what"
        " members do not read in it."
    ),
)
async def check(
    session: CollectiveSession,
    options: NeedOptions,
    file: NeedFile = None,
) -> None:
    """Say what is wrong with a data need, or left out of it. Nothing is stored."""
    need = await _requested("needs check", session, options, file)
    async with session.store.reading() as connection:
        await session.actions.check_witness(connection, need)
        rules = await InForce(session.settings.publication).read(connection, now())
    warnings = omissions(needs.as_members_read(need), rules.chosen.publication)
    document: Json = {
        "need": need.id,
        "version": need.version,
        "warnings": [session.output.translated(warning) for warning in warnings],
    }
    session.output.result(
        document, _OMITS if warnings else _COMPLETE, need=need.id, version=need.version
    )
    for warning in warnings:
        session.output.note(warning)


@commands.add(
    "offer",
    text(
        "Create a data request, from a file or from options. A changed file needs a new version"
        " number; with options, the next number is taken automatically."
    ),
)
async def offer(
    session: CollectiveSession,
    options: NeedOptions,
    file: NeedFile = None,
) -> None:
    """Offer a data need to members."""
    need = await _requested("needs offer", session, options, file)
    new = await session.actions.offer(need)
    message = _SAME if not new else _NEW if need.version == 1 else _NEWER
    document: Json = {"need": need.id, "version": need.version, "new": new}
    session.output.result(document, message, need=need.id, version=need.version)


@commands.add(
    "close",
    text("Stop a data request. Existing permissions continue until they end."),
)
async def close(
    session: CollectiveSession,
    need: Annotated[str, typer.Argument(metavar=say("NEED"), help=say("Its name."))],
) -> None:
    """Stop requesting a data need."""
    await session.actions.close(need)
    session.output.result({"need": need, "closed": True}, _CLOSED, need=need)


async def _requested(
    command: str, session: CollectiveSession, options: NeedOptions, file: Path | None
) -> DataNeed:
    """Return the data need of a file, or of options with the next number."""
    if any(options.least) if file else not all(options.least):
        raise misused(command, _ONE_OR_THE_OTHER)
    if file is not None:
        return _of_file(file)
    async with session.store.reading() as connection:
        return await needs.numbered(connection, options.need(session.settings.name))


def _of_file(file: Path) -> DataNeed:
    return read_need_file(file.read_bytes())


def unreadable(version: needs.OwnNeed) -> Text:
    """Say what is left out of what is asked for, and why."""
    assert version.problem is not None
    need = version.need
    return around(_UNREADABLE, version.problem, need=need.id, version=need.version)


def _document(own_need: needs.OwnNeed, members: int) -> dict[str, Json]:
    need = own_need.need
    return {
        "need": need.id,
        **values(need, "version", "title", "purpose", "recipients"),
        "series": sorted(need.directions),
        **values(need, "interval", "history_days", "duration_days", "retention_days"),
        "identification": need.identification,
        **values(own_need, "offered_at", "closed_at"),
        "members": members,
    }


def _by_language(typed: list[str] | None, option: str) -> dict[str, str]:
    translations = {}
    for translation in typed or ():
        language, equals, words = translation.partition("=")
        if not equals or not words.strip() or not _LANGUAGE.fullmatch(language):
            raise misused(option, _NOT_BY_LANGUAGE)
        translations[language] = words.strip()
    return translations


def _days(typed: str, option: str) -> int:
    try:
        return days(iso8601.duration(typed, option))
    except Malformed as fault:
        raise mistyped(option, fault) from None


def _bad(field: str) -> CliError:
    """Return the error of a field that no household may be asked, or could read."""
    name = field.removesuffix("_days")
    if name == field:
        return misused(f"--{name}", _EMPTY_OR_LONG)
    return misused(f"--{name}", _LENGTH.fill(least=int(name == "duration"), most=MAX_DAYS))
