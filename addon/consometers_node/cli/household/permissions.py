"""Answers to data requests: `permissions`, `preview`, `grant`, `refuse`, `withdraw`."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

from sqlalchemy.exc import DBAPIError
import typer

from consometers_node.cli.core.errors import CliError, misused
from consometers_node.cli.core.locale import say, who
from consometers_node.cli.core.options import Yes
from consometers_node.cli.core.output import Columns, Json, Output
from consometers_node.cli.core.times import day, local
from consometers_node.cli.core.usage import Commands
from consometers_node.i18n.foreign import isolated
from consometers_node.i18n.text import Text, text
from consometers_node.permission import (
    Permissions,
    RegisterEntry,
    ShownText,
    Signature,
    State,
    SumRefused,
)
from consometers_node.series import Series
from consometers_node.sharing import consent_text
from consometers_node.sharing.names import load_naming
from consometers_node.sharing.permissions.consent import (
    DataRequest,
    Decisions,
    check,
    data_request,
)
from consometers_node.store import PermissionId, Store
from consometers_node.store.household.enrolments import set_code
from consometers_node.wire import Naming
from consometers_quoalise import History, Identifier, Number, Records, Role, iso8601
from consometers_quoalise.records import documents

from .command import HouseholdSession, run
from .selection import CHOOSE, DAYS, Chosen, choice, choosing

_OFFERED: Columns[Series] = {
    text("Statistic"): lambda series: series.device,
    text("Energy"): lambda series: consent_text.DIRECTIONS[series.direction],
    text("Kind", context="of a permission"): lambda series: consent_text.QUANTITIES[
        series.quantity
    ],
    text("Resolution"): lambda series: consent_text.INTERVALS[series.interval],
}
_REGISTER: Columns[RegisterEntry] = {
    text("When"): lambda entry: entry.at.astimezone().isoformat(" ", "minutes"),
    text("State"): lambda entry: consent_text.STATES[entry.state],
    text("Who"): lambda entry: entry.who,
}
_RECORDS: Columns[tuple[str, Number | None, str | None]] = {
    text("Start of the interval"): lambda row: row[0],
    text("Value"): lambda row: row[1],
    text("Unit"): lambda row: row[2],
}
_SHOWN = 60
"""Records of a table; of more, the first and the last."""
_COUNT = text("{count} records of {series}.")
_LEFT_OUT = text("{count} are not shown: --json has all of them.")
_NO_RECORD = text("There is no record since {start}.")
_NO_PERMISSION = text(
    "No data request yet: join a collective with “consometers-node join INVITATION”."
)
_AMBIGUOUS = text("Several permission numbers begin with {typed}: type more digits.")
_NOTHING_FITS = {
    Role.HOUSEHOLD: text("No statistic of this home has a requested direction."),
    Role.COLLECTIVE: text("No requested data is published yet."),
}
_AGREE = text("Do you allow this? [y/N] ")
_REFUSE = text("Do you refuse this? [y/N] ")
_WITHDRAW = text("Do you withdraw this? [y/N] ")
_DONE = {
    State.GRANTED: text("Allowed. Permission {number} is valid until {until}."),
    State.REFUSED: text("Refused. No data leaves for this request."),
    State.WITHDRAWN: text("Withdrawn. No more data leaves for this request."),
}
_NOT_RUNNING = text("The node is not running: it will inform the collective once started.")

_CODE = say("CODE")
_CODE_NEEDED = text("write the code that {name} gave you: only homes with one are in these sums.")
_NOT_A_CODE = text("a code has four groups of five letters, such as {example}.")
_NO_CODE = text("Permission {number} needs no code.")
_CODE_SAVED = text("The code is saved: {name} is asked to accept it.")

PermissionNumber = Annotated[
    str,
    typer.Argument(
        metavar=say("NUMBER"),
        help=say("The number of the permission, or its first digits."),
    ),
]


commands = Commands(run)


@commands.add("permissions")
async def permissions(
    session: HouseholdSession,
    permission: Annotated[
        str | None,
        typer.Argument(
            metavar=say("NUMBER"),
            help=say("Show one permission in full: its text and its history."),
        ),
    ] = None,
) -> None:
    """List requests and their answers, or show one in full."""
    if permission is None:
        await _list(session.store, session.output)
    else:
        await _show(session.store, permission, session.output)


@commands.add(
    "preview",
    text(
        "The node reads the last days from Home Assistant; it stores nothing and sends nothing."
        " A collective shows its published figures."
    ),
)
async def preview(
    session: HouseholdSession,
    permission: PermissionNumber,
    chosen: Chosen,
    days: Annotated[
        int,
        typer.Option(
            metavar=DAYS,
            min=1,
            max=366,
            help=say("Number of past days."),
        ),
    ] = 1,
) -> None:
    """Show the actual records that would leave."""
    store, output = session.store, session.output
    question = await _data_request(store, permission)
    naming = await load_naming(store)
    async with choosing(store, naming, question) as source:
        previews = await source.preview(choice(source, question, chosen), days)
    now = datetime.now(UTC)
    histories = []
    for records in previews:
        history = History(question.peer.jid, records.name, now - timedelta(days=days), now)
        history.add(records.data)
        histories.append((records.series, history))
    if output.as_json:
        output.document(
            [
                {"statistic": series.device, **documents.as_json(history)}
                for series, history in histories
            ]
        )
        return
    for series, history in histories:
        output.say("\n".join(consent_text.series([series], output.language, role=_role(naming))))
        if not len(history):
            output.say(_NO_RECORD, start=local(history.start))
        for measured in history.records:
            _show_records(measured, output)


def _show_records(records: Records, output: Output) -> None:
    rows: list[tuple[str, Number | None, str | None]] = [
        (local(time), value, records.unit) for time, value in records.values.items()
    ]
    left_out = len(rows) - _SHOWN
    if left_out > 0:
        rows[_SHOWN // 2 : -_SHOWN // 2] = [("…", None, None)]
    output.table(_RECORDS, rows)
    output.say(_COUNT, count=len(records.values), series=records.name)
    if left_out > 0:
        output.say(_LEFT_OUT, count=left_out)


@commands.add(
    "grant",
    text("Without --series, show the choices and allow nothing."),
)
async def grant(
    session: HouseholdSession,
    permission: PermissionNumber,
    chosen: Chosen,
    *,
    code: Annotated[
        str | None,
        typer.Option(
            metavar=_CODE,
            help=say("For protected sums: the code that their witness gave to this household."),
        ),
    ] = None,
    yes: Yes = False,
) -> None:
    """Grant a permission for the chosen records."""
    store, output = session.store, session.output
    question = await _data_request(store, permission)
    naming = await load_naming(store)
    async with choosing(store, naming, question) as source:
        if not chosen.series:
            _offer(question, source.offered(chosen.interval), _role(naming), output)
            return
        picked = choice(source, question, chosen)
    async with store.reading() as connection:
        await check(connection, naming, question, picked)
    if question.need.witness is not None:
        if code is None:
            raise misused("--code", _CODE_NEEDED.fill(name=isolated(question.need.witness.name)))
        code = _read_code(code, "--code")
        # A home without protected sums never loads them.
        from consometers_node.household.protected_sums import witness_check  # noqa: PLC0415

        if (objection := await witness_check.objection(store, question, connects=True)) is not None:
            raise SumRefused(objection)
    shown = consent_text.grant(
        question.need,
        question.peer,
        picked,
        datetime.now(UTC),
        output.catalogue_language,
        role=_role(naming),
    )
    signature = _sign(shown, _AGREE, output, yes=yes)
    terms = await _decisions(store, naming).grant(naming, question, picked, signature, code=code)
    until = terms.valid_until.astimezone().date()
    await _done(session, question, State.GRANTED, until=until)


@commands.add("code")
async def code(
    session: HouseholdSession,
    permission: PermissionNumber,
    code: Annotated[
        str,
        typer.Argument(
            metavar=_CODE,
            help=say("The code that the witness gave to this household."),
        ),
    ],
) -> None:
    """Save the code for the witness of a permission."""
    store = session.store
    question = await _data_request(store, permission)
    witness, number = question.need.witness, question.permission.id
    if witness is None or question.permission.state is not State.GRANTED:
        raise CliError("no-code", _NO_CODE.fill(number=number))
    read = _read_code(code, "CODE")
    async with store.writing() as connection:
        await set_code(connection, number, read)
    runs = await session.look_again()
    document: dict[str, Json] = {"permission": number, "running": runs}
    session.output.result(document, _CODE_SAVED, name=isolated(witness.name))


@commands.add("refuse")
async def refuse(session: HouseholdSession, permission: PermissionNumber, yes: Yes = False) -> None:
    """Refuse a data request."""
    store, output = session.store, session.output
    question = await _data_request(store, permission)
    question.permission.expect(State.REFUSED)
    naming = await load_naming(store)
    shown = consent_text.refusal(question.need, output.catalogue_language, role=_role(naming))
    signature = _sign(shown, _REFUSE, output, yes=yes)
    await _decisions(store, naming).refuse(question, signature)
    await _done(session, question, State.REFUSED)


@commands.add("withdraw")
async def withdraw(
    session: HouseholdSession,
    permission: PermissionNumber,
    keep: Annotated[
        bool,
        typer.Option(
            "--keep",
            help=say("Let the collective keep the received data."),
        ),
    ] = False,
    yes: Yes = False,
) -> None:
    """Withdraw a permission at once."""
    store, output = session.store, session.output
    question = await _data_request(store, permission)
    question.permission.expect(State.WITHDRAWN)
    naming = await load_naming(store)
    shown = consent_text.withdrawal(
        question.need, output.catalogue_language, erase=not keep, role=_role(naming)
    )
    signature = _sign(shown, _WITHDRAW, output, yes=yes)
    permission_id = question.permission.id
    try:
        decisions = _decisions(store, naming)
        is_registered = await decisions.withdraw(question, signature, erase=not keep)
        async with store.reading() as connection:
            may_leave = await Permissions(connection).may_leave(permission_id)
    except DBAPIError as fault:
        raise CliError("not-withdrawn", consent_text.STILL_LEAVES) from fault
    if may_leave:
        raise CliError("not-withdrawn", consent_text.STILL_LEAVES)
    if not is_registered:
        await session.look_again()
        raise CliError("not-registered", consent_text.NOT_REGISTERED)
    await _done(session, question, State.WITHDRAWN)


async def _data_request(store: Store, typed: str) -> DataRequest:
    """Return the permission whose id begins so. Raises `UnknownPermission`, `CliError`."""
    async with store.reading() as connection:
        matching = [
            permission.id
            for permission in await Permissions(connection).all()
            if permission.id.startswith(typed.lower())
        ]
        if len(matching) > 1:
            raise CliError("ambiguous", _AMBIGUOUS.fill(typed=typed))
        return await data_request(connection, matching[0] if matching else PermissionId(typed))


def _read_code(typed: str, where: str) -> str:
    """Return a typed code as it is printed. Raises `CliError`."""
    from consometers_protected_sums import codes, errors  # noqa: PLC0415

    try:
        return codes.read(typed)
    except errors.NoCode:
        raise misused(where, _NOT_A_CODE.fill(example=codes.EXAMPLE)) from None


def _role(naming: Naming) -> Role:
    """Return whose node this is: what is read before answering says it."""
    return Role.HOUSEHOLD if naming.collective is None else Role.COLLECTIVE


def _decisions(store: Store, naming: Naming) -> Decisions:
    """Return the object that answers: a collective's also writes its access log."""
    if naming.collective is None:
        return Decisions(store)
    from consometers_node.store.collective.access_log import (  # noqa: PLC0415  # a home has none of it
        written_by,
    )

    return Decisions(store, written_by(who()))


def _offer(question: DataRequest, series: Sequence[Series], role: Role, output: Output) -> None:
    """Show the series that can be chosen."""
    if output.as_json:
        output.document(
            {
                "permission": question.permission.id,
                "text": consent_text.need(question.need, question.peer, output.language),
                "offered": [
                    {
                        "statistic": choosable.device,
                        "direction": choosable.direction,
                        "quantity": choosable.quantity,
                        "interval": choosable.interval,
                    }
                    for choosable in series
                ],
            }
        )
        return
    output.say(consent_text.need(question.need, question.peer, output.language))
    if series:
        output.table(_OFFERED, series)
    else:
        output.say(_NOTHING_FITS[role])
    output.say(CHOOSE)


def _sign(shown: ShownText, question: Text, output: Output, *, yes: bool) -> Signature:
    """Show the text, and ask for confirmation. Raises `CliError` where it is denied."""
    if not output.as_json:
        output.say(shown.body)
    output.agree(f"\n{output.translated(question)}", yes=yes)
    return Signature(who(), shown)


async def _done(
    session: HouseholdSession, question: DataRequest, state: State, **values: object
) -> None:
    """Wake the running node, and print the decision."""
    runs = await session.look_again()
    output = session.output
    permission_id = question.permission.id
    if output.as_json:
        document: dict[str, Json] = {"permission": permission_id, "state": state, "running": runs}
        output.document(document | {name: str(value) for name, value in values.items()})
        return
    output.say(_DONE[state], number=permission_id, **values)
    if not runs and state is not State.REFUSED:
        output.say(_NOT_RUNNING)


async def _list(store: Store, output: Output) -> None:
    async with store.reading() as connection:
        register = Permissions(connection)
        requests = [
            await data_request(connection, permission.id) for permission in await register.all()
        ]
    columns: Columns[DataRequest] = {
        text("Number"): lambda request: request.permission.id[:8],
        text("Collective"): lambda request: request.peer.jid,
        text("What for", context="list on the command line"): lambda request: Text(
            request.need.title
        ),
        text("State"): lambda request: consent_text.STATES[request.permission.state],
        text("Until"): lambda request: (
            day(request.permission.terms.valid_until) if request.permission.terms else None
        ),
    }
    output.listing(requests, lambda request: _document(request, output), columns, _NO_PERMISSION)


async def _show(store: Store, typed: str, output: Output) -> None:
    """Print all of one permission: text, terms, names, and the register."""
    question = await _data_request(store, typed)
    naming = await load_naming(store)
    async with store.reading() as connection:
        register = Permissions(connection)
        entries = await register.entries(question.permission.id)
        texts = {entry.seq: await register.shown_text(entry) for entry in entries}
    names = _names(question, naming)
    if output.as_json:
        output.document(
            {
                **_document(question, output),
                "series": [
                    {"identifier": str(name), "statistic": series.device}
                    for name, series in names.items()
                ],
                "register": [_entry(entry, texts[entry.seq]) for entry in entries],
            }
        )
        return
    bodies = [text_.body for text_ in texts.values() if text_ is not None]
    output.say(
        bodies[-1] if bodies else consent_text.need(question.need, question.peer, output.language)
    )
    for name, series in names.items():
        output.say(f"{series.device} → {name}")
    output.table(_REGISTER, entries)


def _names(question: DataRequest, naming: Naming) -> dict[Identifier, Series]:
    terms = question.permission.terms
    if terms is None:
        return {}
    return naming.names(terms.series, question.peer.jid, terms.identification)


def _document(request: DataRequest, output: Output) -> dict[str, Json]:
    terms = request.permission.terms
    document: dict[str, Json] = {
        "permission": request.permission.id,
        "peer": request.peer.jid,
        "need": request.need.id,
        "version": request.need.version,
        "title": Text(request.need.title).say(output.language),
        "state": request.permission.state,
    }
    if terms is None:
        return document
    return document | {
        "interval": terms.interval,
        "identification": terms.identification,
        "records_from": iso8601.shown(terms.records_from),
        "valid_until": iso8601.shown(terms.valid_until),
    }


def _entry(entry: RegisterEntry, shown: ShownText | None) -> Json:
    return {
        "at": iso8601.shown(entry.at),
        "state": entry.state,
        "actor": entry.actor,
        "who": entry.who,
        "sha256": entry.text_hash,
        "language": entry.language,
        "text": shown.body if shown else None,
    }
