"""All open data in one request: a ZIP of tables by year, with their dictionary."""

import csv
from datetime import date, timedelta
import io
from zipfile import ZipFile

from aiohttp import ClientResponse

from consometers_node.figures import FIGURES
from consometers_node.series import Direction, Interval
from consometers_node.web.public.drawing.charts import COLUMNS, column
from consometers_node.web.public.open_data.archive import OF_ARCHIVE
from testing.pages.town import ReleasedTown, day_of

ARCHIVE = "data/everything.zip"


async def ask(town: ReleasedTown, **headers: str) -> tuple[ClientResponse, bytes]:
    assert town.session is not None
    async with town.session.get(f"{town.url}{ARCHIVE}", headers=headers) as answer:
        return answer, await answer.read()


def table(archive: ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(name).decode())))


def plain(words: str) -> str:
    return words.replace("\u00a0", " ").replace("\u202f", " ")


async def test_it_has_what_the_addresses_answer(empty: ReleasedTown) -> None:
    everybody = await empty.group()
    days = day_of(date(2025, 12, 30), date(2026, 1, 2), consumption=lambda hour: 1000 * hour)
    await empty.release(everybody, days, members=40)
    hours = [*days[Direction.CONSUMPTION]]
    await empty.close(hours)
    await empty.close(hours[::24], interval=Interval.P1D)
    answer, body = await ask(empty)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    with ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {
            *("README.txt", "LISEZMOI.txt", "columns.csv", "groups.csv"),
            *("all/PT1H-2025.csv", "all/P1D-2025.csv", "all/PT1H-2026.csv", "all/P1D-2026.csv"),
        }
        for year, first in (("2025", "2025-12-30"), ("2026", "2026-01-01")):
            for interval in ("PT1H", "P1D"):
                rows = table(archive, f"all/{interval}-{year}.csv")
                last = date.fromisoformat(first) + timedelta(days=1)
                path = f"data/consumption/by/all/{interval}/from/{first}/to/{last}.csv"
                page = await empty.browser().open(path)
                asked = list(csv.DictReader(io.StringIO(page.html)))
                assert [(row["start"], row["consumption_wh"]) for row in rows] == [
                    (row["start"], row["value"]) for row in asked
                ]
        assert table(archive, "groups.csv") == [
            {"id": "all", "kind": "all", "name": "Énergies de Lorient"}
        ]


async def test_the_dictionary_has_each_column_in_both_languages(town: ReleasedTown) -> None:
    _, body = await ask(town)
    with ZipFile(io.BytesIO(body)) as archive:
        (name, *_) = [name for name in archive.namelist() if "/" in name]
        header = archive.read(name).decode().partition("\r\n")[0].split(",")
        listed = table(archive, "columns.csv")
        assert [row["column"] for row in listed] == header == [*OF_ARCHIVE]
        assert all(row["meaning_en"] and row["meaning_fr"] for row in listed)
        for file, tag, words in (
            ("README.txt", "en", "Open Licence 2.0"),
            ("LISEZMOI.txt", "fr", "Licence Ouverte"),
        ):
            text = plain(archive.read(file).decode())
            assert words in text
            for row in listed:
                assert f"  {row['column']}: {plain(row[f'meaning_{tag}'])}" in text
    page = await town.browser().open("data/columns.csv")
    assert [row["column"] for row in csv.DictReader(io.StringIO(page.html))] == header
    assert {column(key) for key in FIGURES} <= {*header} <= {*COLUMNS}


async def test_who_has_it_is_not_sent_it_again(town: ReleasedTown) -> None:
    answer, body = await ask(town)
    assert body
    again, nothing = await ask(town, **{"If-None-Match": answer.headers["ETag"]})
    assert (again.status, nothing) == (304, b"")
    town.now += timedelta(days=1)
    assert (await ask(town, **{"If-None-Match": answer.headers["ETag"]}))[0].status == 200


async def test_a_collective_without_figures_has_an_archive(empty: ReleasedTown) -> None:
    answer, body = await ask(empty)
    assert answer.status == 200
    assert "README.txt" in ZipFile(io.BytesIO(body)).namelist()
