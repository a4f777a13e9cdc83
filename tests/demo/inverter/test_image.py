"""A register image is written to a file and read from it: ours, or that of a real device."""

import json
from pathlib import Path

import pytest

from demo.inverter import PROFILES, Image, ImageError
from testing.inverters import BASE, NOON, decoded, inverter, unix


@pytest.mark.parametrize("name", ["image.json", "image.csv"])
@pytest.mark.parametrize("profile", PROFILES)
def test_an_image_survives_a_round_trip(name: str, profile: str, tmp_path: Path) -> None:
    image = inverter(profile).image(unix(NOON))
    image.dump(tmp_path / name)
    assert Image.load(tmp_path / name) == image


@pytest.mark.parametrize(
    "text",
    [
        '{"40000": 21365, "40001": 28243}',
        '{"40000": [21365, 28243]}',
        '{"holding": {"40000": 21365, "40001": 28243}, "input": {"0": 7}}',
        '{"0x9C40": ["0x5375", "0x6E53"]}',
        "address,value\n40000,21365\n40001,28243\n",
        "40000,0x5375\n\n40001,0x6e53",
        "Address, Value, Name\n40000, 21365, Su\n40001, 28243, nS\n",
    ],
)
def test_other_file_formats_are_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "image").write_text(text)
    assert Image.load(tmp_path / "image").registers == {40_000: 0x5375, 40_001: 0x6E53}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "{",
        '{"40000": 65536}',
        '{"40000": null}',
        '{"first": 1}',
        "40000",
        "40000,-1",
        "a,b",
    ],
)
def test_a_file_without_registers_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "image").write_text(text)
    with pytest.raises(ImageError, match="holds no registers"):
        Image.load(tmp_path / "image")


def test_json_has_the_format_of_modbus_connection(tmp_path: Path) -> None:
    Image({BASE: 1}).dump(tmp_path / "image.json")
    assert json.loads((tmp_path / "image.json").read_text()) == {"holding": {"40000": 1}}


async def test_a_cut_map_ends_at_the_cut() -> None:
    whole = inverter().image(unix(NOON))
    cut = whole.cut(100)
    assert len(cut.registers) == 100
    assert cut.read(BASE, 100) == whole.read(BASE, 100)
    assert cut.read(BASE, 101) is None
    assert cut.read(BASE - 1, 2) is None
    assert len(await decoded(whole)) == 7
