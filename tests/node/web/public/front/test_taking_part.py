"""How a home takes part: one page, whose claims stand beside what shows them."""

from dataclasses import replace
from datetime import timedelta
import re

import pytest

from consometers_node.i18n.text import Text
from consometers_node.web.core.page_base import REPOSITORY
from consometers_node.web.public.front.taking_part import CLAIMS
from testing.checkout import ROOT
from testing.documentation import anchors
from testing.pages.town import ABOUT, NOW, ReleasedTown, serving

MEETING = Text({"fr": "À 18 h, à la mairie.", "en": "At 6 pm, at the town hall."})


async def test_it_comes_first_in_every_menu(town: ReleasedTown) -> None:
    for path in ("", "data", "sites/ecole-de-kersabiec/month/2026-06", "nothing"):
        page = await town.browser().open(path)
        menu = page.html.partition("<nav")[2].partition("</nav>")[0]
        titles = re.findall(r">([^<]+)</a>", menu)
        assert titles[0] == "Take part"
        assert titles[-1] == "Who we are"
        assert "Challenges" not in titles


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_each_claim_links_to_what_shows_it(town: ReleasedTown, language: str) -> None:
    page = await town.browser(language).open("take-part")
    for _, claims in CLAIMS:
        for claim in claims:
            assert claim.words.say(language) in page.text.replace("\u00a0", " ")
            address = claim.source.address("./", language)
            assert address in page.links
            path, _, section = address.removeprefix(f"{REPOSITORY}/blob/main/").partition("#")
            if claim.source.documents is None:
                there = await town.browser(language).open(path.removeprefix("./"))
                assert there.status == 200
                assert not section or f'id="{section}"' in there.html
            else:
                assert section in anchors(ROOT / path)


@pytest.mark.parametrize(("days", "is_shown"), [(-1, False), (0, True), (30, True)])
async def test_a_meeting_is_announced_until_its_day_is_over(
    town: ReleasedTown, days: int, is_shown: bool
) -> None:
    about = replace(ABOUT, meeting_on=NOW.date() + timedelta(days), meeting=MEETING)
    async with serving(replace(town, settings=replace(town.settings, about=about))) as announcing:
        page = await announcing.browser("fr").open("take-part")
    assert ("La prochaine réunion" in page.text) is is_shown
    assert (MEETING.say("fr") in page.text.replace("\u00a0", " ")) is is_shown


async def test_half_a_meeting_is_not_shown(town: ReleasedTown) -> None:
    about = replace(ABOUT, meeting_on=NOW.date())
    async with serving(replace(town, settings=replace(town.settings, about=about))) as announcing:
        assert "meeting" not in (await announcing.browser().open("take-part")).text


async def test_a_home_without_home_assistant_reads_what_it_can_do_today(
    town: ReleasedTown,
) -> None:
    page = await town.browser().open("take-part")
    assert "We do not offer a space to homes without it yet." in page.text
    mailtos = [link for link in page.links if link == f"mailto:{ABOUT.mail}"]
    assert len(mailtos) == 3
