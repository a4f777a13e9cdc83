"""Checks of Federation, as far as a reader sees it: discovery, lists, data requests, sums."""

from base64 import b64decode
from datetime import datetime, timedelta
import hashlib
from itertools import chain
from typing import Final
from uuid import uuid4
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from quoalise_conformance.peer import FEDERATION_COMMANDS, RESOURCE, Peer
from quoalise_conformance.results import Failed, NotTried
from quoalise_conformance.session import stanzas
from quoalise_conformance.session.stanzas import COMMAND, FIELD, FORM, tag

from .content import DURATION, rows
from .registry import Checks, expect, expect_refusal, expect_success
from .requests import times

FEDERATED: Final = Checks[Peer]()

_OF_BOTH: Final = frozenset({"get_history", "subscribe", "unsubscribe", "list_series", "terminate"})
OF_HOUSEHOLDS: Final = _OF_BOTH | {"send_letter"}
OF_COLLECTIVES: Final = _OF_BOTH | FEDERATION_COMMANDS - {
    *("verify_reports", "open_sums", "send_letter"),
}
POLICY: Final = "urn:xmpp:data-policy:0"
LISTED_TRIED: Final = 3
"""Series of a list whose records are requested."""
BEFORE_ALL: Final = (31_536_000.0 * 10, 31_536_000.0 * 10 + 86_400)
"""A day of 1979, which no permission covers."""
COLUMNS: Final = (
    frozenset({"name", "shares", "total_shares"}),
    frozenset({"local_price", "grid_price"}),
    frozenset(
        {
            *("challenge_fr", "challenge_en", "challenge_from", "challenge_to"),
            *("objective", "participant", "participants"),
        }
    ),
    frozenset({"change", "change_low", "change_high", "rank_first", "rank_last"}),
)
"""Of each row of the table, all have a value or none."""
PART_BYTES: Final = 65_536
PARIS: Final = ZoneInfo("Europe/Paris")
_NEED: Final = tag(stanzas.FEDERATION, "data-need")


@FEDERATED.of("F-1")
async def _announced(peer: Peer) -> None:
    await peer.federated()
    announced = stanzas.FEDERATION in await peer.features()
    expect(announced, await peer.info(), "lacks", what=stanzas.FEDERATION)


@FEDERATED.of("F-3")
async def _is_online_at_its_resource(peer: Peer) -> None:
    await peer.federated()
    jid = f"{peer.target.bare}/{RESOURCE}"
    answer = await peer.ask(Element(stanzas.INFO_QUERY), kind="get", to=jid)
    expect_success(answer)


@FEDERATED.of("F-4")
async def _lists_its_commands(peer: Peer) -> None:
    await peer.federated()
    listed = await peer.commands()
    wanted = OF_COLLECTIVES if "get_data_needs" in listed else OF_HOUSEHOLDS
    query = Element(stanzas.ITEMS_QUERY, {"node": stanzas.COMMANDS})
    missing = ", ".join(sorted(wanted - listed))
    expect(not missing, await peer.ask(query, kind="get"), "lacks", what=missing)


@FEDERATED.of("F-5")
async def _shows_its_policy(peer: Peer) -> None:
    await peer.collective()
    info = await peer.info()
    forms = [stanzas.values(form) for form in info.iter(FORM)]
    policy = next((form for form in forms if form.get("FORM_TYPE") == POLICY), {})
    missing = ", ".join(sorted({"purpose", "retention", "location"} - policy.keys()))
    expect(not missing, info, "lacks", what=missing)


@FEDERATED.of("F-7")
async def _refuses_commands_of_the_other_role(peer: Peer) -> None:
    await peer.federated()
    if "get_data_needs" not in await peer.commands():
        expect_refusal(await peer.command("get_data_needs"), "item-not-found")
        return
    verification = stanzas.element(
        tag(stanzas.FEDERATION, "verification"),
        stanzas.element(tag(stanzas.FEDERATION, "homes"), text="A" * 88, group="1"),
        id=str(uuid4()),
        direction="consumption",
        hour="2026-11-01T01:00:00+00:00",
        part="1",
        parts="1",
        **{"verification-key": "40" * 32},
    )
    answer = await peer.command("verify_reports", verification)
    # A witness does not open sums for everybody.
    expect_refusal(answer, "item-not-found", "not-authorized")


@FEDERATED.of("F-8")
async def _takes_subscriptions(peer: Peer) -> None:
    await peer.federated()
    await peer.base()
    for node in ("subscribe", "unsubscribe"):
        expect_success(await peer.subscription(node))


@FEDERATED.of("F-9")
async def _wants_a_permission_to_be_granted(peer: Peer) -> None:
    await peer.collective()
    expect_refusal(await peer.command("grant"), "bad-request")


async def listed(peer: Peer) -> tuple[Element, list[dict[str, str]]]:
    """Return the answer to `list_series`, and its rows. Raises `NotTried` if it is refused."""
    await peer.federated()
    answer = await peer.command("list_series")
    if stanzas.refusal(answer):
        raise NotTried("not_listed")
    return answer, [row for _, row in rows(peer)]


@FEDERATED.of("F-10")
async def _lists_what_may_be_requested(peer: Peer) -> None:
    await peer.federated()
    await peer.base()
    answer = await peer.command("list_series")
    expect_success(answer)
    form = answer.find(f"{COMMAND}/{FORM}")
    is_table = form is not None and form.get("type") == "result"
    expect(is_table, answer, "lacks", what="<x type='result'>")
    names = [row.get("identifier", "") for _, row in rows(peer)]
    if not _derived(peer.target.series):
        expect(peer.target.series in names, answer, "lacks", what=peer.target.series)
    if peer.target.foreign:
        expect(peer.target.foreign not in names, answer, "written", what=peer.target.foreign)
    for name in names[:LISTED_TRIED]:
        expect_success(await peer.history(*peer.range(), series=name))


def _derived(name: str) -> bool:
    """Return whether a series stands beside another, which is listed in its place."""
    return name.endswith(("/members", "/without-homes")) or "/energy/monthly/" in name


@FEDERATED.of("F-11")
async def _describes_what_it_lists(peer: Peer) -> None:
    answer, table = await listed(peer)
    for row in table:
        expect("identifier" in row, answer, "lacks", what="identifier")
        interval = row.get("interval", "P1D")
        expect(DURATION.fullmatch(interval) is not None, answer, "unreadable", what=interval)
        if row["identifier"] == peer.target.series:
            unit = next((record.unit for record in await peer.timed() if record.unit), "")
            unit_sent = row.get("unit", "")
            expect(unit_sent == unit, answer, "other", wanted=unit, seen=unit_sent)


@FEDERATED.of("Q-93")
async def _lists_in_the_language_of_the_request(peer: Peer) -> None:
    await peer.federated()
    await peer.base()
    labels = []
    for language in ("en", "fr"):
        answer = await peer.command("list_series", language=language)
        expect_success(answer)
        labels.append([field.get("label") for field in answer.iter(FIELD)])
    expect(labels[0] != labels[1], answer, "one_language")


@FEDERATED.of("F-97")
async def _lists_the_device(peer: Peer) -> None:
    answer, table = await listed(peer)
    for row in table:
        expect(bool(row.get("device")), answer, "lacks", what="device")


async def needs(peer: Peer) -> tuple[Element, list[Element]]:
    """Return the answer to `get_data_needs`, and the requests in it."""
    await peer.collective()
    answer = await peer.command("get_data_needs")
    stated = list(answer.iter(_NEED))
    if not stated:
        raise NotTried("no_needs")
    return answer, stated


@FEDERATED.of("F-15")
async def _tells_requests_to_members_and_guests(peer: Peer) -> None:
    await peer.collective()
    answer = await peer.command("get_data_needs")
    if stanzas.refusal(answer):
        expect_refusal(answer, "not-authorized")
    else:
        raise NotTried("is_member")


_ATTRIBUTES: Final = (
    *("id", "version", "interval", "history", "duration", "retention"),
    *("identification", "reading"),
)


def _text(need: Element, name: str) -> str:
    return need.findtext(tag(stanzas.FEDERATION, name)) or ""


@FEDERATED.of("F-17")
async def _states_requests_in_full(peer: Peer) -> None:
    answer, stated = await needs(peer)
    for need in stated:
        for attribute in _ATTRIBUTES:
            expect(bool(need.get(attribute)), answer, "lacks", what=f"<data-need {attribute}>")
        for name in ("title", "purpose", "controller", "contact", "policy"):
            expect(bool(_text(need, name)), answer, "lacks", what=f"<{name}>")
        series = need.find(tag(stanzas.FEDERATION, "series"))
        expect(series is not None, answer, "lacks", what="<series>")


@FEDERATED.of("F-18")
async def _links_to_a_policy(peer: Peer) -> None:
    answer, stated = await needs(peer)
    for need in stated:
        policy = _text(need, "policy")
        expect(not policy or policy.startswith("https://"), answer, "unreadable", what=policy)


def _witness(need: Element) -> Element | None:
    return need.find(tag(stanzas.FEDERATION, "witness"))


@FEDERATED.of("F-19")
async def _names_a_witness_for_sums_alone(peer: Peer) -> None:
    answer, stated = await needs(peer)
    for need in stated:
        by_sum = need.get("reading") == "sum"
        expect(not by_sum or _witness(need) is not None, answer, "lacks", what="<witness>")
        expect(by_sum or _witness(need) is None, answer, "written", what="<witness>")


async def needs_of_sums(peer: Peer) -> tuple[Element, list[Element]]:
    """Return the requests for protected sums."""
    answer, stated = await needs(peer)
    of_sums = [need for need in stated if need.get("reading") == "sum"]
    if not of_sums:
        raise NotTried("none_sent", what="reading='sum'")
    return answer, of_sums


@FEDERATED.of("F-67")
async def _sums_future_hours(peer: Peer) -> None:
    answer, of_sums = await needs_of_sums(peer)
    for need in of_sums:
        for attribute, wanted in (
            ("interval", {"PT1H", "PT60M"}),
            ("identification", {"pseudonym"}),
        ):
            seen = need.get(attribute, "")
            expect(seen in wanted, answer, "other", wanted=min(wanted), seen=seen)
        history = need.get("history", "")
        is_zero = not set("123456789") & set(history)
        expect(is_zero, answer, "other", wanted="PT0S", seen=history)


@FEDERATED.of("F-68")
async def _describes_its_witness(peer: Peer) -> None:
    answer, of_sums = await needs_of_sums(peer)
    for need in of_sums:
        witness = _witness(need)
        if witness is None:
            continue
        jid, url = witness.get("jid", ""), witness.get("url", "")
        expect("@" in jid and "/" not in jid, answer, "unreadable", what=f"jid={jid!r}")
        https = url.startswith("https://") and not url.endswith("/")
        expect(https, answer, "unreadable", what=f"url={url!r}")
        minimum = witness.get("minimum", "")
        enough = minimum.isascii() and minimum.isdigit() and int(minimum) >= 3
        expect(enough, answer, "unreadable", what=f"minimum={minimum!r}")


# Permissions, letters and exports


@FEDERATED.of("F-37")
async def _covers_what_was_granted(peer: Peer) -> None:
    await peer.household()
    await peer.base()
    expect_refusal(await peer.history(*BEFORE_ALL), "not-authorized")


@FEDERATED.of("F-46")
async def _refuses_to_end_what_it_does_not_share(peer: Peer) -> None:
    await peer.federated()
    await peer.base()
    nodes = {"terminate", "withdraw"} & await peer.commands()
    for node in sorted(nodes):
        form = stanzas.form((("permission", str(uuid4())),))
        expect_refusal(await peer.command(node, form), "item-not-found")


@FEDERATED.of("F-101")
async def _wants_a_letter_to_be_sent(peer: Peer) -> None:
    await peer.household()
    expect_refusal(await peer.command("send_letter"), "bad-request")


async def export(peer: Peer) -> Element:
    """Return the answer to `get_export`. Raises `NotTried` where it has to wait."""
    await peer.collective()
    answer = await peer.command("get_export", stanzas.form((("part", "1"),)))
    refused = stanzas.refusal(answer)
    if refused is not None and refused.condition in {"resource-constraint", "not-acceptable"}:
        raise NotTried("refused_now", seen=refused.condition)
    return answer


@FEDERATED.of("F-50")
async def _exports_what_it_holds(peer: Peer) -> None:
    answer = await export(peer)
    if stanzas.refusal(answer):
        expect_refusal(answer, "item-not-found")


@FEDERATED.of("F-48")
async def _exports_in_parts(peer: Peer) -> None:
    answer = await export(peer)
    part = answer.find(f".//{tag(stanzas.FEDERATION, 'export')}")
    if part is None:
        raise NotTried("none_sent", what="<export>")
    expect(part.get("part") == "1", answer, "lacks", what="part='1'")
    try:
        content = b64decode(part.text or "", validate=True)
        size, parts = int(part.get("size", "")), int(part.get("parts", ""))
    except ValueError:
        raise Failed("unreadable", answer, what="<export>") from None
    expect(parts == -(-size // PART_BYTES), answer, "unreadable", what=f"parts={parts}")
    wanted = min(size, PART_BYTES)
    expect(len(content) == wanted, answer, "other", wanted=wanted, seen=len(content))
    if parts == 1:
        right = hashlib.sha256(content).hexdigest() == part.get("sha256")
        expect(right, answer, "unreadable", what="sha256")


# A collective's series


async def collectives(peer: Peer) -> Element:
    """Return the answer with a collective's series. Raises `NotTried` for another series."""
    await peer.collective()
    answer = await peer.base()
    if _derived(peer.target.series) or not peer.target.series.startswith("urn:dev:org:60060-"):
        raise NotTried("no_collectives")
    return answer


@FEDERATED.of("F-53")
async def _names_a_collective_s_series(peer: Peer) -> None:
    answer = await collectives(peer)
    device = answer.find(f".//{tag(stanzas.QUOALISE, 'device')}")
    if device is None:
        raise NotTried("none_sent", what="<device>")
    kind = device.get("type", "")
    expect(kind == "collective", answer, "other", wanted="collective", seen=kind)


@FEDERATED.of("F-55")
async def _counts_members_beside_a_sum(peer: Peer) -> None:
    await collectives(peer)
    for end in ("members", "without-homes"):
        expect_success(await peer.history(*peer.range(), series=f"{peer.target.series}/{end}"))


@FEDERATED.of("F-56")
async def _sends_a_sum_with_its_members(peer: Peer) -> None:
    answer = await collectives(peer)
    names = [peer.target.series, f"{peer.target.series}/members"]
    values, members = ({time for name, time in times(answer) if name == wanted} for wanted in names)
    if not values:
        raise NotTried("no_records")
    expect(values == members, answer, "lacks", what="/members")
    expect(len(values) <= 666, answer, "too_many", count=len(values), most=666)
    alone = await peer.history(*peer.range(), series=names[1])
    if alone.get("type") == "result":
        expect({name for name, _ in times(alone)} <= {names[1]}, alone, "written", what=names[0])


async def monthly(peer: Peer) -> tuple[str, Element]:
    """Return the name of the median, and the answer with a year of it and of the quartiles."""
    await peer.collective()
    device, _, rest = peer.target.series.partition("_")
    direction = rest.partition("/")[0]
    daily = f"{device}_{direction}/energy/active/daily"
    if daily not in {row.get("identifier") for row in (await listed(peer))[1]}:
        raise NotTried("none_sent", what="energy/active/daily")
    name = f"{device}_{direction}/energy/monthly/median"
    end = peer.range()[1]
    return name, await peer.history(end - 330 * 86_400, end, series=name)


@FEDERATED.of("F-61")
async def _answers_with_quartiles(peer: Peer) -> None:
    name, answer = await monthly(peer)
    expect_success(answer)
    ends = {each.rpartition("/")[2] for each, _ in times(answer)}
    if not ends:
        raise NotTried("no_records")
    wanted = {"median", "lower-quartile", "upper-quartile"}
    expect(ends == wanted, answer, "other", wanted=", ".join(sorted(wanted)), seen=", ".join(ends))
    lower = name.replace("/median", "/lower-quartile")
    end = peer.range()[1]
    alone = await peer.history(end - 330 * 86_400, end, series=lower)
    expect_success(alone)
    expect({each for each, _ in times(alone)} == {lower}, alone, "written", what=name)


@FEDERATED.of("F-62")
async def _starts_months(peer: Peer) -> None:
    _, answer = await monthly(peer)
    sent = stanzas.records(answer)
    if not sent:
        raise NotTried("no_records")
    for record in sent:
        start = datetime.fromtimestamp(record.time, PARIS)
        is_first = (start.day, start.hour, start.minute, start.second) == (1, 0, 0, 0)
        expect(is_first, answer, "unreadable", what=start.isoformat())
        following = (start + timedelta(days=31)).replace(day=1)
        days = (following.date() - start.date()).days
        mean = record.value / days
        rounded = float(f"{mean:.2g}")
        expect(abs(mean - rounded) < 1e-6, answer, "unreadable", what=f"v={record.value:g}")


@FEDERATED.of("F-63")
async def _limits_months(peer: Peer) -> None:
    name, answer = await monthly(peer)
    months = len({time for _, time in times(answer)})
    expect(months <= 12, answer, "too_many", count=months, most=12)
    fields = stanzas.form((("identifier", name),))
    expect_refusal(await peer.command("subscribe", fields), "bad-request")


@FEDERATED.of("F-64")
async def _fills_columns_together(peer: Peer) -> None:
    answer, table = await listed(peer)
    groups = [(row, group) for row in table for group in COLUMNS if group & row.keys()]
    if not groups:
        raise NotTried("none_sent", what=", ".join(chain.from_iterable(map(sorted, COLUMNS[:2]))))
    for row, group in groups:
        missing = ", ".join(sorted(group - row.keys()))
        expect(not missing, answer, "lacks", what=missing)
