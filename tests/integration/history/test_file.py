"""The years before a meter are added from a file, in the real recorder."""

from datetime import datetime, timedelta
from io import BytesIO
from zipfile import ZipFile
from zoneinfo import ZoneInfo

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.consometers.const import CONF_HISTORY, CONF_JOINED
from custom_components.consometers.enedis_files import MOST_BYTES
from testing.integration import frames
from testing.integration.former_meter import LEVELS, LINKYTIC, NOON, House, options
from testing.integration.recorded import HOUR
from testing.integration.views import MeterView, text_of

PARIS = ZoneInfo("Europe/Paris")
POINT = "98765432109876"


def curve(*powers_w: float | None, until: datetime = NOON, business: str = "Consommation") -> bytes:
    """Return a load curve of half-hours up to a moment."""
    rows = [
        f"{(until - (len(powers_w) - 1 - n) * HOUR / 2).astimezone(PARIS).isoformat()};"
        f"{'' if power_w is None else power_w}"
        for n, power_w in enumerate(powers_w)
    ]
    lines = (
        "Identifiant PRM;Type de donnees;Grandeur physique;Grandeur metier;Etape metier;Unite",
        f"{POINT};Courbe de charge;Energie active;{business};Comptage Brut;W",
        "Horodate;Valeur",
        *rows,
    )
    return "\r\n".join(lines).encode()


class Files:
    """A person who adds files to a meter."""

    def __init__(self, hass: HomeAssistant, client: ClientSessionGenerator, entry_id: str) -> None:
        self.hass, self.client, self.entry_id = hass, client, entry_id

    async def choose(self, data: bytes) -> ConfigFlowResult:
        """Open the step, upload a file and choose it."""
        result = await options(self.hass, self.entry_id, "file")
        assert result["step_id"] == "file"
        client = await self.client()
        name = f"{POINT}.csv"
        response = await client.post("/api/file_upload", data={"file": _named(data, name)})
        file_id = (await response.json())["file_id"]
        return await self.submit(result, file=file_id)

    async def submit(self, result: ConfigFlowResult, **answers: str) -> ConfigFlowResult:
        return await self.hass.config_entries.options.async_configure(result["flow_id"], answers)

    async def add(self, data: bytes) -> ConfigFlowResult:
        shown = await self.choose(data)
        assert shown["step_id"] == "file_confirm", shown["errors"]
        result = await self.submit(shown)
        assert result["reason"] == "file_joined"
        await async_wait_recording_done(self.hass)
        return shown


def _named(data: bytes, name: str) -> BytesIO:
    file = BytesIO(data)
    file.name = name
    return file


@pytest.fixture
async def counted(house: House) -> tuple[ConfigEntry, MeterView]:
    """Return a meter of which the recorder has the hour after noon."""
    entry = (await house.add()).entry
    home = MeterView(house.hass, entry, house.line)  # type: ignore[arg-type]
    await house.hear(frames.BASE)
    await house.count_until(NOON + timedelta(minutes=5))
    await house.hear(frames.BASE, BASE="012345978")
    await house.count_until(NOON + HOUR)
    return entry, home


@pytest.fixture
def files(
    counted: tuple[ConfigEntry, MeterView],
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
) -> Files:
    return Files(hass, hass_client, counted[0].entry_id)


@pytest.fixture
def drawn(counted: tuple[ConfigEntry, MeterView]) -> str:
    entity_id = counted[1].entity_id("energy_drawn")
    assert entity_id is not None
    return entity_id


async def test_a_file_is_shown_joined_without_a_leap_and_undone(
    files: Files,
    house: House,
    counted: tuple[ConfigEntry, MeterView],
    drawn: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    entry, home = counted
    own, own_minutes = await house.rows(drawn), await house.rows(drawn, "5minute")
    assert own == [(1.0, 300, 12_345_978, 300)]
    shown = await files.choose(curve(1000, 3000, 500, None, 4000, 6000))
    assert shown["description_placeholders"] == {
        "series": (
            "| **Energy drawn**<br>2026-11-20 → 2026-11-20 04:00 | 5 × 30 min | 1 |"
            " 2026-11-20 → 2026-11-20 04:00<br>7\u202f000 Wh |"
        ),
        "unread": "0",
        "lines": "–",
    }
    assert await house.rows(drawn) == own
    result = await files.submit(shown)
    assert result["reason"] == "file_joined"
    await async_wait_recording_done(files.hass)
    assert await house.rows(drawn) == [
        (-2.0, 2_000, 2_000),
        (0.0, 7_000, 5_000),
        (1.0, 7_300, 12_345_978, 300),
    ]
    # The recorder counts on from there.
    await house.hear(frames.BASE, BASE="012346000")
    await house.count_until(NOON + 2 * HOUR)
    assert (await house.rows(drawn))[-1] == (2.0, 7_322, 12_346_000, 22)

    result = await options(files.hass, entry.entry_id, "undo")
    result = await files.submit(result)
    assert result["reason"] == "history_undone"
    await async_wait_recording_done(files.hass)
    assert await house.rows(drawn) == [*own, (2.0, 322, 12_346_000, 22)]
    minutes = await house.rows(drawn, "5minute")
    assert minutes[: len(own_minutes)] == own_minutes
    assert CONF_JOINED not in entry.data
    for text in (text_of(await home.diagnostics()), str(dict(entry.data)), caplog.text):
        assert POINT not in text


async def test_an_earlier_file_goes_before_a_later_one_and_both_are_undone(
    files: Files, house: House, counted: tuple[ConfigEntry, MeterView], drawn: str
) -> None:
    own = await house.rows(drawn)
    await files.add(curve(1000, 3000))
    # What overlaps counts once.
    await files.add(curve(200, 200, 400, 400, 9000, 9000))
    assert await house.rows(drawn) == [
        (-2.0, 200, 200),
        (-1.0, 600, 400),
        (0.0, 2_600, 2_000),
        (1.0, 2_900, 12_345_978, 300),
    ]
    shown = await files.choose(curve(1, 1))
    assert shown["errors"] == {"base": "file_nothing_before"}
    result = await options(files.hass, counted[0].entry_id, "undo")
    await files.submit(result)
    await async_wait_recording_done(files.hass)
    assert await house.rows(drawn) == own


async def test_a_meter_removed_while_its_file_is_shown_gets_nothing(
    files: Files, house: House, drawn: str
) -> None:
    own = await house.rows(drawn)
    shown = await files.choose(curve(1000, 3000))
    er.async_get(files.hass).async_remove(drawn)
    result = await files.submit(shown)
    assert result["reason"] == "file_not_joined"
    await async_wait_recording_done(files.hass)
    assert await house.rows(drawn) == own


async def test_a_file_that_was_added_while_another_was_shown_counts_alone(
    files: Files, house: House, counted: tuple[ConfigEntry, MeterView], drawn: str
) -> None:
    shown = await files.choose(curve(1000, 3000))
    await files.add(curve(2000, 2000, 2000, 2000))
    both = await house.rows(drawn)
    result = await files.submit(shown)
    assert result["reason"] == "file_not_joined"
    await async_wait_recording_done(files.hass)
    assert await house.rows(drawn) == both
    assert counted[0].data[CONF_JOINED]["energy_drawn"]["raised_wh"] == both[1][1]


async def test_what_was_joined_to_a_removed_entity_is_forgotten(
    files: Files, counted: tuple[ConfigEntry, MeterView], drawn: str
) -> None:
    await files.add(curve(1000, 3000))
    er.async_get(files.hass).async_remove(drawn)
    result = await options(files.hass, files.entry_id, "undo")
    result = await files.submit(result)
    assert result["reason"] == "history_undone"
    assert CONF_JOINED not in counted[0].data


@pytest.fixture
async def waiting(house: House) -> tuple[ConfigEntry, MeterView]:
    """Return a meter that will continue the history of another integration."""
    await house.had_linkytic()
    flow = await house.add()
    ((_, field),) = flow.result["data_schema"].schema.items()  # type: ignore[union-attr]
    await flow.submit(series=[field.config["options"][0]["value"]])
    entry, home = await house.finish(flow)
    await house.hear(frames.BASE)
    return entry, home


@pytest.fixture
async def continued(
    house: House, waiting: tuple[ConfigEntry, MeterView]
) -> tuple[ConfigEntry, MeterView]:
    """Return the meter when that history is joined."""
    await house.count_until(NOON + timedelta(minutes=10))
    await house.hear(frames.BASE, BASE="012345978")
    await house.count_until(NOON + HOUR)
    return waiting


async def test_while_a_history_waits_no_file_is_taken(
    waiting: tuple[ConfigEntry, MeterView], hass: HomeAssistant
) -> None:
    assert CONF_HISTORY in waiting[0].data
    result = await hass.config_entries.options.async_init(waiting[0].entry_id)
    assert "file" not in result.get("menu_options", ())


async def test_a_file_goes_before_the_history_of_another_integration(
    continued: tuple[ConfigEntry, MeterView],
    house: House,
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
) -> None:
    entry, home = continued
    drawn = home.entity_id("energy_drawn")
    assert drawn is not None
    before = await house.rows(drawn)
    files = Files(hass, hass_client, entry.entry_id)
    await files.add(curve(200, 200, 9000, 9000, until=NOON - 2 * HOUR))
    assert await house.rows(drawn) == [
        (-3.0, 200, 200),
        *[(at, total + 200, *more) for at, total, *more in before],
    ]
    assert entry.data[CONF_JOINED]["energy_drawn"]["statistic_id"] == LINKYTIC
    result = await options(hass, entry.entry_id, "undo")
    await files.submit(result)
    await async_wait_recording_done(hass)
    assert await house.rows(drawn) == [(1.0, 300, 12_345_978, 300)]
    assert len(LEVELS) == len(await house.rows(LINKYTIC))


def zipped(**files: bytes) -> bytes:
    whole = BytesIO()
    with ZipFile(whole, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), data)
    return whole.getvalue()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "file_empty"),
        (b"%PDF-1.7", "file_unknown_form"),
        (b"1" * (MOST_BYTES + 1), "file_too_large"),
        (b"PK\x03\x04", "file_damaged"),
        (
            zipped(
                xl__workbook_xml=b"<w/>",
                xl__worksheets__sheet1_xml=b"<w><row><c><f>1</f></c></row></w>",
            ),
            "file_active",
        ),
        (b"Date;Puissance maximale (VA)\n01/01/2026;5", "file_no_energy"),
        (b"Horodate;Valeur\n2026-01-01T00:00:00+01:00;5", "file_unit_unknown"),
        (b"Date;Valeur (en Wh)\n01/01/2026;x", "file_nothing_read"),
        (curve(1000, 1000, business="Production"), "file_other_direction"),
        (curve(1000, 1000, until=NOON + 2 * HOUR), "file_nothing_before"),
    ],
    ids=str.split("empty form large damaged active peaks unit nothing direction before"),
)
async def test_a_file_that_is_of_no_use_is_refused_in_words(
    files: Files, data: bytes, error: str
) -> None:
    result = await files.choose(data)
    assert (result["step_id"], result["errors"]) == ("file", {"base": error})


async def test_an_upload_that_has_expired_is_asked_for_again(files: Files) -> None:
    result = await options(files.hass, files.entry_id, "file")
    result = await files.submit(result, file="0123456789abcdef0123456789abcdef")
    assert result["errors"] == {"base": "file_gone"}


async def test_lines_that_are_not_understood_are_shown_by_their_numbers(files: Files) -> None:
    result = await files.choose(curve(1000, 1000) + b"\r\n" + b"\r\n".join([b"x"] * 12))
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert (placeholders["unread"], placeholders["lines"]) == (
        "12",
        "6, 7, 8, 9, 10, 11, 12, 13, 14, 15…",
    )
