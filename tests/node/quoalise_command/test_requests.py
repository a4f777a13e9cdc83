"""Other nodes, asked with `quoalise`: what it prints and writes, and what it says of errors."""

import asyncio
import csv
from datetime import timedelta
import io
import json
from pathlib import Path
import signal
import stat

import pytest

from consometers_quoalise import (
    BadRequest,
    Data,
    Duration,
    GetHistory,
    Identifier,
    Measurement,
    Metadata,
    QuoaliseError,
    Records,
    ResourceConstraint,
    UpstreamError,
)
from consometers_quoalise.records import data
from consometers_quoalise_network import Asker, Join, Register, links
from demo.servers.prosody import Prosody
from packages.quoalise.tests.samples import NEED
from testing.commands.fixtures import Run, Start, at, ended
from testing.commands.quoalise import CommandReader
from testing.run import DEADLINE_S
from testing.xmpp.answerers import HOUR, SERIES, START, AskingCollective, MemoryHome, records
from testing.xmpp.fixtures import MakeNode, NewAccount

DAY = ("--start", "2026-01-01T00:00Z", "--end", "2026-01-02T00:00Z")
MONTH = ("--start", "2026-01-01T00:00Z", "--end", "2026-02-01T00:00Z")
OTHER = str(SERIES).replace("30001610071843", "1" * 14)


def answer_with(reader: CommandReader, *answers: QuoaliseError | Data) -> list[GetHistory]:
    """Answer first with these as a home, and note what it is asked."""
    asked: list[GetHistory] = []
    usual = reader.home.get_history
    left = list(answers)

    async def get_history(asker: Asker, request: GetHistory) -> Data:
        asked.append(request)
        if not left:
            return await usual(asker, request)
        answer = left.pop(0)
        if isinstance(answer, QuoaliseError):
            raise answer
        return answer

    reader.home.get_history = get_history  # type: ignore[method-assign]
    return asked


async def test_series_are_listed(reader: CommandReader, run: Run) -> None:
    result = await run("list", reader.peer, *reader.options)
    assert (result.status, result.err) == (0, "")
    header, _, row = result.out.strip().splitlines()
    assert header.split()[:3] == ["Identifier", "Interval", "Unit"]
    shown = [str(SERIES), "PT1H", "W", "2026-01-01", "01:00+01:00", "electricity-meter"]
    assert row.split() == shown

    assert await run.json("list", reader.peer, *reader.options) == {
        "from": reader.peer,
        "series": [
            {
                "identifier": str(SERIES),
                "interval": "PT1H",
                "unit": "W",
                "first": "2026-01-01T00:00:00+00:00",
                "last": None,
                "device": "electricity-meter",
            }
        ],
    }
    reader.home.readers.clear()
    result = await run("list", reader.peer, *reader.options, language="fr_FR.UTF-8")
    assert result.out == f"{reader.peer} ne partage aucune série avec vous.\n"


async def test_a_day_is_a_table_with_a_summary(reader: CommandReader, run: Run) -> None:
    result = await run(*reader.history(*DAY))
    assert (result.status, result.err) == (0, "")
    lines = result.out.strip().splitlines()
    assert lines[2].split() == ["2026-01-01", "01:00+01:00", "0", "W"]
    assert lines[-1].startswith(f"24 records of {SERIES}, from 2026-01-01 01:00+01:00")
    assert lines[-1].endswith("lowest 0, mean 11.5, highest 23 W.")
    result = await run(*reader.history(*DAY), language="fr")
    assert "24 relevés de" in result.out


async def test_a_long_table_shows_its_ends_and_counts_gaps(reader: CommandReader, run: Run) -> None:
    two = Records(str(SERIES), "W", {**part(0, 50), **part(60, 50)})
    answer_with(reader, Data(records(START, 1).metadata, (two,)))
    result = await run(*reader.history(*MONTH))
    assert (
        len([line for line in result.out.splitlines() if " W" in line and "+01:00" in line]) == 61
    )
    assert "Missing in between: 10 (one record expected every PT1H)." in result.out
    assert "40 are not shown" in result.out


async def test_json_is_one_object(reader: CommandReader, run: Run) -> None:
    document = await run.json(*reader.history(*DAY))
    measured = document.pop("records")
    assert measured[:2] == [
        {"time": "2026-01-01T00:00:00+00:00", "value": 0},
        {"time": "2026-01-01T01:00:00+00:00", "value": 1},
    ]
    assert len(measured) == 24
    assert document == {
        "identifier": str(SERIES),
        "unit": "W",
        "from": reader.peer,
        "start": "2026-01-01T00:00:00+00:00",
        "end": "2026-01-02T00:00:00+00:00",
        "metadata": {
            "measurement": {
                "name": "active-power",
                "direction": "consumption",
                "quantity": "power",
                "unit": "W",
                "sampling-interval": "PT1H",
            }
        },
    }


async def test_csv_has_one_header_and_a_unit_in_each_line(reader: CommandReader, run: Run) -> None:
    result = await run(*reader.history(*DAY, "--format", "csv"))
    rows = list(csv.reader(io.StringIO(result.out)))
    assert rows[0] == ["time", "value", "unit", "identifier"]
    assert rows[2] == ["2026-01-01T01:00:00+00:00", "1", "W", str(SERIES)]
    assert len(rows) == 25


async def test_pages_become_one_document(reader: CommandReader, run: Run, tmp_path: Path) -> None:
    asked = answer_with(reader, BadRequest(), BadRequest())
    file = tmp_path / "month.xml"
    result = await run(*reader.history(*MONTH, "--output", file))
    assert (result.status, result.out) == (0, "")
    assert result.err == f"744 records are in {file}.\n"
    assert len(asked) == 6
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    document = data.decode(file.read_bytes())
    assert document == records(START, 744)
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".month")]


async def test_the_suffix_of_a_file_chooses_the_format(
    reader: CommandReader, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "day.json"
    assert await run.json(*reader.history(*DAY), "--output", file) == {
        "file": str(file),
        "records": 24,
    }
    assert len(json.loads(file.read_text())["records"]) == 24
    for arguments, words in (
        (("--output", tmp_path / "day"), "--format"),
        (("--output", tmp_path), "is a folder"),
        (("--json", "--format", "csv"), "--json"),
        (("--format", "yaml"), "yaml"),
    ):
        result = await run(*reader.history(*DAY), *arguments)
        assert result.status == 2
        assert words in result.out + result.err
    nowhere = tmp_path / "no" / "day.csv"
    result = await run(*reader.history(*DAY), "--output", nowhere)
    missing = "there is no such file or folder"
    assert (result.status, result.err) == (1, f"{nowhere} cannot be used: {missing}.\n")


async def test_an_incomplete_history_is_not_written(
    reader: CommandReader, run: Run, tmp_path: Path
) -> None:
    failure = UpstreamError("enedis-sge-tiers", "SGT500", {"en": "Down.", "fr": "En panne."})
    for arguments in (("--format", "csv"), ("--json",), ("--output", tmp_path / "month.csv")):
        answer_with(reader, BadRequest(), records(START, 24), failure)
        result = await run(*reader.history(*MONTH, *arguments))
        assert result.status == 1
        assert "2026-01-01T23:00:00+00:00" in result.out + result.err
        assert '"value"' not in result.out
        assert "time,value" not in result.out
    assert not (tmp_path / "month.csv").exists()


async def test_the_refusal_of_a_source_shows_its_name_and_code(
    reader: CommandReader, run: Run
) -> None:
    refusal = UpstreamError("enedis-sge-tiers", "SGT4G3", {"en": "Not yet.", "fr": "Pas encore."})
    answer_with(reader, refusal, refusal)
    result = await run(*reader.history(), language="fr_FR.UTF-8")
    assert result.err == (
        f"La source des données de {reader.peer} (enedis-sge-tiers) refuse, avec le code"
        " SGT4G3\u00a0: Pas encore.\n"
    )
    refused = await run(*reader.history("--json"))
    assert refused.document["error"] == {
        "condition": "undefined-condition",
        "message": f"The source of {reader.peer}'s data (enedis-sge-tiers) refuses, with the code"
        " SGT4G3: Not yet.",
        "from": reader.peer,
        "issuer": "enedis-sge-tiers",
        "code": "SGT4G3",
    }


async def test_a_reader_without_permission_is_refused(reader: CommandReader, run: Run) -> None:
    reader.home.readers.clear()
    result = await run(*reader.history())
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(f"{reader.peer} refuses: There is no permission to read this")
    result = await run("subscribe", reader.peer, SERIES, *reader.options, language="fr_FR.UTF-8")
    assert result.err.startswith(f"{reader.peer} refuse\u00a0: Aucune autorisation")
    await run.ok("unsubscribe", reader.peer, SERIES, *reader.options, "--json")


async def test_missing_series_and_records_are_reported(reader: CommandReader, run: Run) -> None:
    result = await run("history", reader.peer, OTHER, *reader.options, "--json")
    assert (result.status, result.condition) == (1, "item-not-found")
    early = ("--start", "2025-01-01", "--end", "2025-02-01")
    result = await run.ok(*reader.history(*early))
    assert result.out.startswith(f"{reader.peer} has no record of {SERIES} from 2025-01-01")
    assert (await run.json(*reader.history(*early)))["records"] == []
    result = await run(*reader.history(*early, "--format", "csv"))
    assert result.out == "time,value,unit,identifier\n"


async def test_a_node_that_is_offline_is_reported(
    reader: CommandReader, run: Run, new_account: NewAccount, server: Prosody
) -> None:
    absent = new_account(server)
    result = await run("list", absent, *reader.options)
    assert result.err.startswith(f"{absent} is offline")
    assert await run.condition("list", "home@nowhere.test", *reader.options) in {
        "remote-server-not-found",
        "remote-server-timeout",
    }


@pytest.mark.parametrize("peer", ["", "@@", "home@"])
async def test_a_wrong_address_is_refused_before_connecting(run: Run, peer: str) -> None:
    result = await run("list", peer, "--account", "me@two.test", "--json")
    assert (result.status, result.condition) == (1, "not-an-address")


async def test_a_busy_node_is_asked_again_after_a_pause(reader: CommandReader, run: Run) -> None:
    answer_with(reader, ResourceConstraint())
    result = await run.ok(*reader.history(*DAY, "--format", "csv"))
    assert result.err == f"{reader.peer} limits the number of requests: next attempt in 5 s.\n"
    assert len(result.out.splitlines()) == 25


async def test_a_peers_message_cannot_control_the_terminal(reader: CommandReader, run: Run) -> None:
    answer_with(reader, *[BadRequest({"en": "\u009b31m\u202ered"})] * 8)
    result = await run(*reader.history(*DAY))
    assert result.err == f"{reader.peer} refuses: 31mred\n"


async def test_changing_metadata_does_not_fit_one_xml_document(
    reader: CommandReader, run: Run
) -> None:
    half = Metadata(measurement=Measurement(sampling_interval=Duration(seconds=1800)))
    later = Records(str(SERIES), "W", part(384, 2))

    arguments = reader.history(*MONTH)
    changed = BadRequest(), records(START, 2), Data(half, (later,))
    answer_with(reader, *changed)
    xml = ("--format", "xml", "--output", "/dev/null")
    assert await run.condition(*arguments, *xml) == "metadata-changes"
    answer_with(reader, *changed)
    document = await run.json(*arguments)
    assert document["metadata_since"] == "2026-01-17T00:00:00+00:00"
    assert document["metadata"]["measurement"] == {"sampling-interval": "PT30M"}
    assert len(document["records"]) == 4


async def test_additional_series_are_listed_apart(reader: CommandReader, run: Run) -> None:
    members = Records(str(Identifier(SERIES.device, SERIES.path).members), None, part(0, 2))
    main = Records(str(SERIES), "W", part(0, 2))
    answer_with(reader, Data(Metadata(), (members, main)))
    result = await run(*reader.history(*DAY, "--json"))
    assert result.document["identifier"] == str(SERIES)
    assert result.document["others"] == [
        {
            "identifier": members.name,
            "unit": None,
            "records": [
                {"time": "2026-01-01T00:00:00+00:00", "value": 0},
                {"time": "2026-01-01T01:00:00+00:00", "value": 1},
            ],
        }
    ]


async def test_a_reader_subscribes_and_unsubscribes(reader: CommandReader, run: Run) -> None:
    assert await run.json("subscribe", reader.peer, SERIES, *reader.options) == {
        "from": reader.peer,
        "identifier": str(SERIES),
        "to": reader.jid,
        "subscribed": True,
    }
    assert [jid for jid, _ in reader.home.subscribers] == [reader.jid]
    result = await run("unsubscribe", reader.peer, SERIES, *reader.options, language="fr_FR.UTF-8")
    assert result.out == f"{reader.peer} n’envoie plus {SERIES} à {reader.jid}.\n"
    assert not reader.home.subscribers


async def test_the_request_of_a_collective_is_shown(
    reader: CommandReader, run: Run, server: Prosody, new_node: MakeNode
) -> None:
    collective = AskingCollective()
    address = (await new_node(server, collective)).bare
    result = await run.ok("needs", address, *reader.options, language="fr_FR.UTF-8")
    title, purpose, *facts = result.out.splitlines()
    assert title == f"{NEED.title['fr']} ({NEED.id}, version {NEED.version})"
    assert purpose == NEED.purpose["fr"]
    assert f"  Pas de temps\u00a0: {NEED.interval}" in facts

    invitation = links.write(Join(address, "the token"))
    document = await run.json("needs", invitation, *reader.options)
    assert document["from"] == address
    (need,) = document["needs"]
    assert need["purpose"] == NEED.purpose
    assert need["retention"] == str(NEED.retention)
    assert need["series"] == [
        {"direction": asked.direction, "quantity": asked.quantity} for asked in NEED.series
    ]
    assert collective.invitations == [None, "the token"]
    other = links.write(Register("one.test", "the token"))
    refused = await run("needs", other, *reader.options, "--json")
    assert refused.condition == "not-alink"
    assert "token" not in refused.message.replace("token=", "")


async def test_a_command_does_not_disconnect_the_running_node(
    server: Prosody, new_node: MakeNode, new_account: NewAccount, run: Run
) -> None:
    jid = new_account(server)
    home = MemoryHome(jid)
    node = await new_node(server, home, jid=jid)
    options = ("--account", jid, *at(server))
    await run.ok("list", jid, *options, "--json")
    assert node.connection.is_online
    assert node.connection.problem is None


@pytest.mark.cold
@pytest.mark.parametrize("language", ["en", "fr"])
async def test_ctrl_c_ends_a_request_silently(
    reader: CommandReader, start: Start, language: str
) -> None:
    asked = asyncio.Event()

    async def get_history(asker: Asker, request: GetHistory) -> Data:
        asked.set()
        await asyncio.sleep(600)
        return Data()

    reader.home.get_history = get_history  # type: ignore[method-assign]
    process = await start(*reader.history(), language=language)
    await asyncio.wait_for(asked.wait(), DEADLINE_S)
    process.send_signal(signal.SIGINT)
    result = await ended(process)
    assert (result.status, result.out, result.err) == (130, "", "")


def part(first: int, count: int) -> dict[int | float, int | float]:
    """Hourly values that count the hours since START."""
    begin = int((START + timedelta(hours=first)).timestamp())
    return {begin + n * HOUR: first + n for n in range(count)}
