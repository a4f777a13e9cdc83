"""Members and what an operator does for them: `members list`, `show`, `site`, `erase`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from consometers_node.cli.core.errors import CliError, misused
from consometers_node.cli.core.locale import say, who
from consometers_node.cli.core.options import Export, Ours, Yes
from consometers_node.cli.core.output import Json, Output, deliver
from consometers_node.cli.core.usage import Commands
from consometers_node.collective.members.members import MAX_AREA, Member, MemberKind, Members
from consometers_node.collective.members.shares import holdings, plant_named
from consometers_node.collective.members.sites import (
    MAX_NAME,
    MAX_PEAK_KWP,
    MAX_SHARES,
    MAX_SURFACE_M2,
    MAX_WORDS,
    Building,
    Description,
    Heat,
)
from consometers_node.collective.permissions import member_permissions
from consometers_node.collective.permissions.member_permissions import MemberPermission
from consometers_node.collective.privacy import export as exported
from consometers_node.collective.privacy.erasure import wipe
from consometers_node.i18n.names import of_name
from consometers_node.i18n.text import Text, text
from consometers_node.permission import State
from consometers_node.settings_file.formats import WEB_PAGE
from consometers_node.settings_file.schema import BadValue
from consometers_node.store.collective.access_log import Read, note_read
from consometers_node.store.collective.member_series import of_member
from consometers_node.store.collective.tables import MemberId

from .command import CollectiveSession, now, run
from .membership import (
    COLUMNS,
    Overview,
    facts,
    known_commune,
    member_document,
    say_all,
    series_document,
    share,
)

_NONE = text("There is no member yet: “consometers-node invitations make” invites.")
_SITE = text("{name} is shown as a site.")
_HOME = text("{pseudonym} is a home again, without a name.")
_NAMED = text("{pseudonym} is named {name}.")
_PLACED = text("{pseudonym} is in {area}.")
_UNPLACED = text("{pseudonym} is in no commune.")
_HOLDS = text("{pseudonym} holds {shares} of the {total} shares {of_plant}.")
_FROM_NEXT = text("If sums of this month are already published, this applies from next month on.")
_EXPORTED = text("{file}: all stored data.")
_REALLY_SHOW = text(
    "This must be a public building, not a home, and its operator must want it named: everybody"
    " sees its name and its figures.\nDo you want that? [y/N] "
)
_SITE_NAME = text("To name a site: “members site {pseudonym} --name NAME”.")
_REALLY_ERASE = text(
    "This ends all permissions of {pseudonym}, and erases its records, its description "
    "and its address. Sums already published stay.\nDo you want that? [y/N] "
)
_REALLY_END = text(
    "This ends all permissions of {pseudonym}; its records are kept for the announced time.\nDo"
    " you want that? [y/N] "
)
_ACCOUNT_TOO = text("Its XMPP account on this server is removed too.")
_ACCOUNT_GOES = text("Its XMPP account is removed by our node, once its own is notified.")
_ACCOUNT_REMOVED = text("The account {address} is removed.")
_REALLY_REMOVE = text(
    "The account {address} is removed, and its name is never given again. A node that uses it"
    " reaches nobody any more.\nDo you want that? [y/N] "
)
_ERASED = text("{records} records of {pseudonym} are erased.")
_UNTOLD = text(
    "Its address is kept until its node is notified, for 30 days at most; our node keeps trying"
    " while it runs."
)
_WIPED_LATER = text(
    "Another program is holding the database open: traces of the erased data remain in its"
    " files. The running node overwrites them within minutes; “consometers-node status” says"
    " when it is done."
)
_NOT_WIPED = text(
    "Another program is holding the database open: traces of the erased data remain in its"
    " files. A running node overwrites them; or run this command again when the other program"
    " has ended."
)
_ENDED = text("{count} permissions of {pseudonym} have ended; its node is informed.")
_TOO_LONG = text("write 1 to {most} characters.")

Who = Annotated[
    str,
    typer.Argument(
        metavar=say("MEMBER"),
        help=say("Its pseudonym, its name or its XMPP address."),
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """The description of a site. Omitted options stay unchanged."""

    building: Annotated[
        Building | None,
        typer.Option(
            metavar="|".join(Building),
            help=say("The use of the building."),
        ),
    ] = None
    heating: Annotated[
        Heat | None,
        typer.Option(metavar="|".join(Heat), help=say("Its heating.")),
    ] = None
    hot_water: Annotated[
        Heat | None,
        typer.Option(
            metavar="|".join(Heat),
            help=say("Its hot water."),
        ),
    ] = None
    surface: Annotated[
        int | None,
        typer.Option(
            metavar="M²",
            min=1,
            max=MAX_SURFACE_M2,
            help=say("Its surface, in m²."),
        ),
    ] = None
    peak: Annotated[
        float | None,
        typer.Option(
            metavar=say("KWP"),
            min=0.1,
            max=MAX_PEAK_KWP,
            help=say("The peak power of its panels, in kWp."),
        ),
    ] = None
    shares: Annotated[
        int | None,
        typer.Option(
            metavar=say("NUMBER", context="how many"),
            min=1,
            max=MAX_SHARES,
            help=say("The shares of its panels, in all, where citizens paid for them."),
        ),
    ] = None
    words_fr: Annotated[
        str | None,
        typer.Option(help=say("A short description in French.")),
    ] = None
    words_en: Annotated[
        str | None,
        typer.Option(help=say("A short description in English.")),
    ] = None

    def over(self, before: Description | None) -> Description:
        """Return the current description."""
        old = before or Description()
        return Description(
            building=self.building or old.building,
            heating=self.heating or old.heating,
            hot_water=self.hot_water or old.hot_water,
            surface_m2=self.surface or old.surface_m2,
            peak_kwp=self.peak or old.peak_kwp,
            shares=self.shares or old.shares,
            words_fr=old.words_fr if self.words_fr is None else self.words_fr.strip(),
            words_en=old.words_en if self.words_en is None else self.words_en.strip(),
        )


commands = Commands(run, Ours)


@commands.add("list", text("List the members."))
async def list_members(
    session: CollectiveSession,
    everybody: Annotated[
        bool,
        typer.Option(
            "--all",
            help=say("Include former members."),
        ),
    ] = False,
) -> None:
    """List the members."""
    async with session.store.reading() as connection:
        people = await Members(connection, session.settings.time_zone).all()
        heard = await member_permissions.last_received_at(connection)
        gave: dict[MemberId, list[MemberPermission]] = {}
        for permission in await member_permissions.all_permissions(connection):
            gave.setdefault(permission.member, []).append(permission)
    rows = [
        Overview(member, gave.get(member.id, []), heard.get(member.id))
        for member in people
        if everybody or member.left_at is None
    ]
    session.output.listing(rows, member_document, COLUMNS, _NONE)


@commands.add(
    "show",
    text("Show the permissions of a member, and the date of its last records."),
)
async def show(session: CollectiveSession, member: Who) -> None:
    """Show all of one member but its records."""
    output = session.output
    async with session.store.reading() as connection:
        found_member = await Members(connection, session.settings.time_zone).named(member)
        gave = await member_permissions.of_member(connection, found_member.id)
        series = await of_member(connection, found_member.jid) if found_member.jid else []
        held = await holdings(connection, found_member.id)
    if output.as_json:
        received = [each.last_received_at for each in series if each.last_received_at]
        overview = Overview(found_member, gave, max(received, default=None))
        document = member_document(overview)
        document["shares"] = [share(holding) for holding in held]
        document["series"] = [series_document(series_state) for series_state in series]
        output.document(document)
    else:
        say_all(found_member, gave, series, held, output)


@commands.add(
    "site",
    text(
        "Show a member as a site (a public building that allowed it on its own node), with its"
        " description."
    ),
)
async def site(
    session: CollectiveSession,
    member: Who,
    described: Described,
    *,
    name: Annotated[
        str | None,
        typer.Option(help=say("The name that is shown.")),
    ] = None,
    yes: Yes = False,
) -> None:
    """Show a member as a site."""
    record = await session.member(member)
    if record.kind is MemberKind.HOME:
        session.output.agree(_REALLY_SHOW, yes=yes)
    called = _checked(name or record.name or "", "--name", MAX_NAME)
    for option, words in (("--words-fr", described.words_fr), ("--words-en", described.words_en)):
        if words is not None and len(words) > MAX_WORDS:
            raise misused(option, _TOO_LONG.fill(most=MAX_WORDS))
    description = described.over(record.description)
    after = await session.actions.show_as_site(record.id, called, description)
    _report(after, session.output, _SITE.fill(name=called), _FROM_NEXT)


@commands.add(
    "home",
    text("Stop showing a site by name: from next month on, it counts as a home again."),
)
async def home(session: CollectiveSession, member: Who) -> None:
    """Stop showing a member as a site."""
    record = await session.member(member)
    after = await session.actions.show_as_home(record.id)
    _report(after, session.output, _HOME.fill(pseudonym=record.pseudonym))


@commands.add(
    "name",
    text("Name a member collective. A home has no name here."),
)
async def rename(
    session: CollectiveSession,
    member: Who,
    name: Annotated[str, typer.Argument(metavar=say("NAME"), help=say("Its name."))],
    *,
    website: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help=say("The address of its pages: the public pages then name it and lead there."),
        ),
    ] = None,
) -> None:
    """Name a collective that is a member."""
    try:
        address = WEB_PAGE.parse(website, Path()) if website else None
    except BadValue:
        raise misused("--website", WEB_PAGE.hint) from None
    record = await session.member(member)
    called = _checked(name, "NAME", MAX_NAME)
    if record.kind is MemberKind.SITE:
        raise CliError("not-possible", _SITE_NAME.fill(pseudonym=record.pseudonym))
    after = await session.actions.rename(record.id, called, address)
    _report(after, session.output, _NAMED.fill(pseudonym=record.pseudonym, name=called))


@commands.add(
    "area",
    text("Set the commune of a member."),
)
async def area(
    session: CollectiveSession,
    member: Who,
    commune: Annotated[
        str | None,
        typer.Argument(
            metavar=say("COMMUNE"),
            help=say("Its commune; none by default."),
        ),
    ] = None,
) -> None:
    """Set the commune of a member."""
    typed = None if commune is None else _checked(commune, "COMMUNE", MAX_AREA)
    record = await session.member(member)
    async with session.store.reading() as connection:
        place = typed and await known_commune(connection, typed, session.output, record.id)
    after = await session.actions.set_area(record.id, place)
    words = _PLACED if place else _UNPLACED
    _report(after, session.output, words.fill(pseudonym=record.pseudonym, area=place), _FROM_NEXT)


@commands.add(
    "shares",
    text(
        "Set how many shares of a public building’s panels a member holds. Its node reads that"
        " within a day."
    ),
)
async def shares(
    session: CollectiveSession,
    member: Who,
    *,
    plant: Annotated[
        str,
        typer.Argument(
            metavar=say("SITE"), help=say("The name of the public building, or its pseudonym.")
        ),
    ],
    number: Annotated[
        int,
        typer.Argument(
            metavar=say("NUMBER", context="how many"),
            min=0,
            max=MAX_SHARES,
            help=say("Its shares; 0 for none."),
        ),
    ],
) -> None:
    """Set the shares of a member."""
    record = await session.member(member)
    async with session.store.reading() as connection:
        of_plant = await plant_named(connection, plant)
    await session.actions.set_shares(record.id, {of_plant.id: number})
    facts: dict[str, Json] = {
        "pseudonym": record.pseudonym,
        "plant": of_plant.name,
        "shares": number,
    }
    session.output.result(
        {**facts, "of": of_plant.total},
        _HOLDS,
        **facts,
        total=of_plant.total,
        of_plant=of_name(of_plant.name),
    )


@commands.add(
    "export",
    text(
        "Export all data about a member. JSON contains everything, CSV only the records; the"
        " export is written in the access log."
    ),
)
async def export(session: CollectiveSession, member: Who, options: Export) -> None:
    """Export all data about a member."""
    parts = exported.as_csv if options.wanted == "csv" else exported.as_json
    async with session.store.writing() as connection:
        record = await Members(connection, session.settings.time_zone).named(member)
        read = Read(at=now(), who=who(), what=f"export {options.wanted}", member=record.id)
        await note_read(connection, read)
    async with session.store.reading() as connection:
        document = "".join([part async for part in parts(connection, record)])
    if deliver(document.encode(), options.file):
        session.output.result({"file": str(options.file)}, _EXPORTED, file=options.file)


@commands.add(
    "terminate",
    text("End all permissions of a member. Its records are kept for the announced time."),
)
async def terminate(session: CollectiveSession, member: Who, yes: Yes = False) -> None:
    """End all permissions of a member."""
    record = await session.member(member)
    session.output.agree(_REALLY_END.fill(pseudonym=record.pseudonym), yes=yes)
    async with session.store.reading() as connection:
        ended = [
            permission.id
            for permission in await member_permissions.of_member(connection, record.id)
            if permission.state is State.GRANTED
        ]
    if ended:
        await session.actions.terminate(record.id, ended)
    session.output.result(
        {"pseudonym": record.pseudonym, "terminated": list(map(str, ended))},
        _ENDED,
        pseudonym=record.pseudonym,
        count=len(ended),
    )


@commands.add(
    "erase",
    text("End all permissions of a member, and erase all its data."),
)
async def erase(
    session: CollectiveSession,
    member: Who,
    *,
    account: Annotated[
        bool,
        typer.Option(
            "--account",
            help=say(
                "Remove its XMPP account on your own server too: its node reaches nobody by it any"
                " more."
            ),
        ),
    ] = False,
    yes: Yes = False,
) -> None:
    """Erase all data about a member."""
    output = session.output
    record = await session.member(member)
    question = output.translated(_REALLY_ERASE.fill(pseudonym=record.pseudonym))
    if account:
        question = f"{output.translated(_ACCOUNT_TOO)} {question}"
    output.agree(question, yes=yes)
    erased = await session.actions.erase(record, account=account)
    runs = await session.look_again()
    wiped = await wipe(session.store)
    async with session.store.reading() as connection:
        after = await Members(connection, session.settings.time_zone).get(record.id)
    records = sum(erased_block.records for erased_block in erased)
    if output.as_json:
        output.document(
            {
                "pseudonym": record.pseudonym,
                "records": records,
                "address_kept": after.jid is not None,
                "wiped": wiped,
            }
        )
        return
    output.say(_ERASED, pseudonym=record.pseudonym, records=records)
    if after.jid is not None:
        output.say(_UNTOLD)
    if account:
        output.say(_ACCOUNT_GOES)
    if not wiped:
        output.say(_WIPED_LATER if runs else _NOT_WIPED)


@commands.add(
    "remove-account",
    text("Remove the account of somebody who is no member any more from your own XMPP server."),
)
async def remove_account(
    session: CollectiveSession,
    address: Annotated[
        str, typer.Argument(metavar="JID", help=say("The XMPP address of the account."))
    ],
    yes: Yes = False,
) -> None:
    """Remove an account of the collective's own server."""
    session.output.agree(_REALLY_REMOVE.fill(address=address), yes=yes)
    await session.actions.remove_account(address)
    session.output.result({"removed": address}, _ACCOUNT_REMOVED, address=address)


def _report(member: Member, output: Output, *messages: Text) -> None:
    """Print a member's new state: everything for programs, the changes for people."""
    if output.as_json:
        output.document(dict(facts(member)))
        return
    for message in messages:
        output.say(message)


def _checked(typed: str, option: str, most: int) -> str:
    words = typed.strip()
    if not 0 < len(words) <= most:
        raise misused(option, _TOO_LONG.fill(most=most))
    return words
