"""My data, where they come from files: chosen, shown, kept or not, and removed again."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from aiohttp import FormData
import pytest

from consometers_enedis_files import MOST_BYTES
from consometers_node.household.files import source as file_source
from consometers_node.store import Store
from consometers_node.web.household import file_chart, files as file_pages, routes
from testing.homes.files import POINT, FileHome, load_curve, running
from testing.homes.ledgers import midnight
from testing.homes.served import ADMIN, GUEST

START = datetime(2024, 12, 31, 23, tzinfo=UTC)
YEAR = load_curve(START, [400] * 48 * 365)


@pytest.fixture
async def home(file: Store, socket_enabled: None) -> AsyncIterator[FileHome]:
    async with running(file) as home:
        yield home


async def test_a_file_is_shown_before_it_is_kept(home: FileHome) -> None:
    page = await home.upload(load_curve(START, [400, None, 400, 600]))
    assert page.status == 200
    assert "3 half-hours" in page.text
    assert "Missing 1" in page.text
    assert "Unit W" in page.text
    assert "0.7 kWh" in page.text
    assert "<svg" in page.html
    assert POINT not in page.html
    assert "You have brought no file yet." in (await home.browser().open("files")).text
    page_after = await home.browser().send(page, "files/keep")
    assert "The file is kept." in page_after.text
    assert "3 readings, 1 missing" in page_after.text
    # The form is spent.
    again = await home.browser().send(page, "files/keep")
    assert (again.status, "shown too long ago" in again.text) == (422, True)


async def test_a_year_is_drawn_month_by_month(home: FileHome) -> None:
    page = await home.upload(YEAR, language="fr")
    assert "17 520 demi-heures" in page.text.replace("\u202f", " ").replace("\xa0", " ")
    assert "janvier 2025" in page.text
    assert "Du 1er janvier 2025, 00:00" in page.text.replace("\xa0", " ")
    assert page.html.count('<th scope="row"') == 12


async def test_what_is_cancelled_is_not_kept(home: FileHome) -> None:
    page = await home.upload(YEAR)
    cancelled = await home.browser().send(page, "files/cancel")
    assert "Nothing was kept." in cancelled.text
    assert (await home.browser().send(page, "files/keep")).status == 422
    assert await home.node.source.files.all() == []  # type: ignore[union-attr]


async def test_a_kept_file_is_removed_by_one_action(home: FileHome) -> None:
    page_after = await home.browser().send(await home.upload(YEAR), "files/keep")
    removed = await home.browser().send(page_after, "/remove")
    assert "The file is removed." in removed.text
    assert "You have brought no file yet." in removed.text


async def test_a_file_shown_long_ago_is_chosen_again(
    home: FileHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_pages, "_KEPT_FOR", timedelta(0))
    page = await home.upload(YEAR)
    assert (await home.browser().send(page, "files/keep")).status == 422


async def test_a_home_with_too_many_files_removes_one_first(
    home: FileHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_source, "MOST_FILES", 0)
    page = await home.browser().send(await home.upload(YEAR), "files/keep")
    assert (page.status, "remove one first" in page.text) == (422, True)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "Choose a file."),
        (b"Bonjour;\n", "none of the known files"),
        (b"PK\x03\x04damaged", "damaged"),
        (b"x" * (MOST_BYTES + 1), "larger than 16 MB"),
        (load_curve(START, [None, None]), "no line has an energy"),
    ],
)
async def test_a_refused_file_is_refused_in_words(home: FileHome, data: bytes, words: str) -> None:
    page = await home.upload(data)
    assert (page.status, words in page.text) == (422, True), page.text


async def test_lines_left_out_are_listed(home: FileHome) -> None:
    page = await home.upload(load_curve(START, [400, 400, 400]).replace(b";400", b";4x", 1))
    assert "1 line left out" in page.text
    assert "line 5: its value cannot be read" in page.text


async def test_only_an_administrator_brings_files(home: FileHome) -> None:
    guest = home.browser(GUEST)
    assert [form.action for form in (await guest.open("files")).forms] == ["./language"]
    form = FormData({"token": "x"})
    form.add_field("file", b"x", filename="x.csv")
    headers = {"X-Remote-User-Id": GUEST}
    async with home.session.post(home.url / "files", data=form, headers=headers) as response:
        assert response.status == 403


async def test_a_form_of_another_site_brings_nothing(home: FileHome) -> None:
    assert (await home.upload(YEAR, token="another")).status == 403


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"token=x&file=y"),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=b", b"no part"),
        ("multipart/form-data; boundary=b", b"--b\r\nnonsense\r\n\r\nx\r\n--b--"),
        (
            "multipart/form-data; boundary=b",
            b"".join(
                b'--b\r\nContent-Disposition: form-data; name="n%d"\r\n\r\nx\r\n' % n
                for n in range(9)
            )
            + b"--b--\r\n",
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n'
            + b"x" * 5_000
            + b"\r\n--b--\r\n",
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n\xff\r\n--b--\r\n',
        ),
        (
            "multipart/form-data; boundary=b",
            b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n--b--\r\n",
        ),
    ],
)
async def test_a_body_that_no_form_has_is_refused(
    home: FileHome, content_type: str, body: bytes
) -> None:
    headers = {"X-Remote-User-Id": ADMIN, "Content-Type": content_type}
    async with home.session.post(home.url / "files", data=body, headers=headers) as response:
        assert response.status == 400


async def test_pages_name_the_files_and_no_home_assistant(home: FileHome) -> None:
    page_after = await home.browser().send(
        await home.upload(load_curve(midnight(-3), [400] * 96)), "files/keep"
    )
    assert page_after.status == 200
    for path in ("", "mine", "files", "permissions", "join"):
        page = await home.browser().open(path)
        assert "Home Assistant" not in page.text, path
    settings = await home.browser().open("settings")
    assert "Consumption, from your files" in settings.text


def test_the_library_accepts_as_many_bytes_as_the_page() -> None:
    assert routes._MOST_FILE_BYTES == MOST_BYTES


def test_missing_days_have_no_bar() -> None:
    first = START.date()
    chart = file_chart.draw([(first, 1000.0), (first + timedelta(days=3), 500.0)], is_daily=True)
    assert chart.path.count("M") == 2
    assert chart.most_wh == 1000
    assert [day for _, day in chart.dates] == [first + n * timedelta(days=1) for n in range(4)]
