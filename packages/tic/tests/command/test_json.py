"""The JSON of the command `tic`: each whole frame on one line."""

from io import StringIO
import json

import pytest

from consometers_tic import Decoder, Mode
from consometers_tic_command.jsonl import JsonLines, plain
from packages.tic.tests.samples import (
    ADDRESS,
    HISTORIQUE,
    NOON,
    STANDARD,
    Fields,
    frame_bytes,
)

type Json = dict[str, Json] | list[Json] | str | int | None


def lines(*chunks: bytes, mode: Mode | None = None) -> list[dict[str, Json]]:
    out, decoder = StringIO(), Decoder(mode)
    json_lines = JsonLines(out)
    for chunk in chunks:
        json_lines.show(decoder.feed(chunk), decoder.counters)
    json_lines.show(decoder.close(), decoder.counters)
    json_lines.end(decoder.counters)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def group(*fields: str) -> Json:
    mode = STANDARD if fields[0] not in ("ADCO", "PPOT", "PTEC") else HISTORIQUE
    frame, _ = lines(frame_bytes(mode, [fields]))
    groups = frame["groups"]
    assert isinstance(groups, dict)
    return groups[fields[0]]


def test_frames_are_lines_and_a_summary_is_the_last() -> None:
    data = frame_bytes(HISTORIQUE, [("PTEC", "HP.."), ("PAPP", "01230")])
    frame, summary = lines(data.replace(b"PTEC", b"PTEK"))
    assert frame == {
        "mode": "historique",
        "complete": True,
        "groups": {"PAPP": {"raw": "01230", "value": 1230, "unit": "VA", "horodate": None}},
        "rejected": [{"raw": "PTEK HP..  ", "reason": "checksum"}],
    }
    assert summary == {
        "summary": {
            "bytes": len(data),
            "frames": 1,
            "groups": 1,
            "rejected": {
                "checksum": 1,
                "length": 0,
                "characters": 0,
                "unknown label": 0,
                "duplicate": 0,
            },
            "resyncs": 0,
        }
    }


ADDRESS_PARTS = {
    "maker": "Landis+Gyr",
    "year": 2018,
    "type": "76",
    "serial": "543210",
    "phases": 3,
}
NOON_ISO = "2025-07-15T12:00:00+02:00"
VALUES: list[tuple[Fields, Json, str | None, str | None]] = [
    (("ADSC", ADDRESS), ADDRESS_PARTS, None, None),  # type: ignore[list-item]
    (("DATE", NOON, ""), NOON_ISO, None, NOON_ISO),
    (("DATE", NOON.lower(), ""), None, None, None),
    (("SMAXSN", NOON, "04321"), 4321, "VA", NOON_ISO),
    (("DPM1", " 260115060000", "00"), "00", None, "2026-01-15T06:00:00+01:00"),
    (("RELAIS", "140"), [3, 4, 8], None, None),
    (("PPOT", "0C"), [2, 3], None, None),
    (("LTARF", "  HEURE PLEINE  "), "HEURE PLEINE", None, None),
    (("NJOURF+1", "07"), 7, None, None),
]


@pytest.mark.parametrize(
    ("fields", "value", "unit", "horodate"), VALUES, ids=lambda fields: str(fields)[:24]
)
def test_a_value_has_its_type(
    fields: Fields, value: Json, unit: str | None, horodate: str | None
) -> None:
    assert group(*fields) == {
        "raw": fields[-1],
        "value": value,
        "unit": unit,
        "horodate": horodate,
    }


def test_the_status_register_is_an_object_of_its_fields() -> None:
    read = group("STGE", "0D3A0301")
    assert isinstance(read, dict)
    assert read["value"] == {
        "contact_open": True,
        "breaker": "closed",
        "cover_open": False,
        "overvoltage": False,
        "over_reference_power": False,
        "producer": True,
        "injecting": True,
        "supplier_index": 1,
        "distributor_index": 1,
        "clock_degraded": False,
        "output": "standard",
        "euridis": "on_secure",
        "power_line": "new_lock",
        "power_line_synchronised": False,
        "colour_today": "blue",
        "colour_tomorrow": "red",
        "peak_notice": 0,
        "peak_now": 0,
    }


def test_a_schedule_is_a_list_of_its_slots() -> None:
    blocks = ["06308012", *["NONUTILE"] * 10]
    read = group("PJOURF+1", " ".join(blocks))
    assert isinstance(read, dict)
    assert read["value"] == [
        {"start": "06:30", "contact": "open", "virtual_contacts": [1], "index": 2}
    ]


def test_unknown_types_are_refused() -> None:
    with pytest.raises(TypeError):
        plain(1.5)
