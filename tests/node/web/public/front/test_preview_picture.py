"""The picture of a link that is shared."""

from dataclasses import replace
from datetime import timedelta
from io import BytesIO
import re

from PIL import Image
import pytest

from consometers_node.sharing.changes import Changes
from consometers_node.web.public.front import preview_picture
from testing.pages.night import at_night
from testing.pages.town import ReleasedTown, serving


async def picture(town: ReleasedTown, language: str = "en") -> Image.Image:
    assert town.session is not None
    address = town.url / "preview.png"
    async with town.session.get(address.with_query(language=language)) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "image/png"
        return Image.open(BytesIO(await response.read()))


async def test_the_picture_has_the_size_that_the_page_states(town: ReleasedTown) -> None:
    names = replace(town.settings.page, names=("energies.example",))
    town.settings = replace(town.settings, page=names)
    async with serving(town):
        page = await town.browser("fr").open()
        drawn = await picture(town, "fr")
    assert drawn.size == (1200, 630)
    for name, content in (
        ("og:image", "https://energies.example/preview.png?language=fr"),
        ("og:image:width", "1200"),
        ("og:image:height", "630"),
    ):
        assert f'<meta property="{name}" content="{content}">' in page.html
    assert '<meta name="twitter:card" content="summary_large_image">' in page.html
    assert "og:image:alt" in page.html


async def test_the_picture_is_in_both_languages_and_of_a_new_collective(
    town: ReleasedTown, empty: ReleasedTown
) -> None:
    pictures = {
        (await picture(place, tag)).tobytes() for place in (town, empty) for tag in ("en", "fr")
    }
    assert len(pictures) == 4


async def test_many_requests_draw_once(town: ReleasedTown, monkeypatch: pytest.MonkeyPatch) -> None:
    drawings: list[str] = []
    draw = preview_picture._png

    def counted(drawing: str) -> bytes:
        drawings.append(drawing)
        return draw(drawing)

    monkeypatch.setattr(preview_picture, "_png", counted)
    async with serving(town, changes=Changes()):
        for _ in range(20):
            await picture(town)
    assert len(drawings) == 1


async def test_without_sun_the_picture_says_what_is_worth_reading(
    empty: ReleasedTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A night in June 2026, and the same figures two months later, without any of today."""
    drawings: list[str] = []
    draw = preview_picture._png

    def remembered(drawing: str) -> bytes:
        drawings.append(drawing)
        return draw(drawing)

    monkeypatch.setattr(preview_picture, "_png", remembered)
    await at_night(empty)
    await picture(empty, "fr")
    empty.now += timedelta(days=60)
    await picture(empty, "fr")
    night, later = (" ".join(re.findall(r">([^<>\n]+)</text>", drawing)) for drawing in drawings)
    for words in (
        "Produit le 9 juin 2026 72\u202fkWh",
        "Prochaines heures de soleil 08:00 à 20:00",
    ):
        assert f"{empty.settings.name} Notre soleil, le 10 juin 2026" in night
        assert words in night
    assert "Le réseau" not in night
    assert "Foyers dans nos sommes 37" in later
