"""A challenge is set, and how it goes is read from published figures alone."""

import csv
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
import io
import json
import math
import re

import jsonschema  # type: ignore[import-untyped]
import pytest
from sqlalchemy import select

from consometers_node.collective.challenges.own import CurrentChallenges
from consometers_node.collective.challenges.register import (
    MOST_CHALLENGES,
    BadChallenge,
    Challenge,
    all_challenges,
)
from consometers_node.collective.challenges.results import (
    Gap,
    Outcome,
    Result,
    State,
    result,
    state_of,
)
from consometers_node.collective.members.members import Member, MemberKind
from consometers_node.collective.publication.reading.queries import Published
from consometers_node.series import Direction
from consometers_node.store.collective.groups import GroupKind
from consometers_node.store.collective.publication import combined
from consometers_node.store.collective.tables import (
    ChallengeId,
    ClosedIntervalRow,
    MemberId,
    PublishedCellRow,
)
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.public.drawing.challenges import draw_ranking, draw_weeks
from consometers_quoalise import Change
from testing.pages.contest import (
    COMMUNES,
    DAY,
    FIRST,
    LAST,
    SLUGS,
    TYPED,
    YEAR,
    actions,
    fill,
    release_days,
    set_up,
)
from testing.pages.town import NOW, ReleasedTown, serving


async def look(town: ReleasedTown, challenge: Challenge) -> Result:
    published = Published("lorient", town.settings.time_zone, town.settings.publication)
    async with town.store.reading() as connection:
        return await result(connection, published, challenge, town.now)


async def published(connection: AsyncConnection) -> list[object]:
    """Return all that is published."""
    return [
        row
        for table in (PublishedCellRow, ClosedIntervalRow)
        for row in await connection.execute(select(table.__table__))
    ]


async def test_results_follow_from_the_open_data_and_publish_nothing(
    empty: ReleasedTown,
) -> None:
    """The CSV of the communes is enough to compute the same changes."""
    await fill(empty)
    async with empty.store.reading() as connection:
        before = await published(connection)
    challenge = await set_up(empty)
    seen = await look(empty, challenge)
    async with empty.store.reading() as connection:
        assert await published(connection) == before
    assert seen.state is State.RUNNING
    assert (seen.weeks_over, seen.weeks) == (8, 11)
    assert not seen.left_out
    logs = {slug: await _weekly_logs(empty, slug) for slug in SLUGS}
    for participant in seen.compared:
        slug, standing = participant.place.slug, participant.standing
        assert standing is not None
        others = [sum(logs[other]) / 8 for other in SLUGS if other != slug]
        expected = sum(logs[slug]) / 8 - sum(others) / len(others)
        assert math.log1p(standing.change) == pytest.approx(expected, abs=1e-4)
        assert math.log1p(standing.year_change) == pytest.approx(sum(logs[slug]) / 8, abs=1e-4)


async def _weekly_logs(town: ReleasedTown, slug: str) -> list[float]:
    """Compute from the open data what a participant used in each week, and a year before."""
    quantity = "total-consumption" if slug.startswith("ecole") else "consumption"
    column = "value" if slug.startswith("ecole") else "per_home"
    uses: dict[date, float] = {}
    for first in (FIRST - YEAR, FIRST):
        path = f"data/{quantity}/by/{slug}/P1D/from/{first}/to/{first + 55 * DAY}.csv"
        page = await town.browser().open(path)
        for row in csv.DictReader(io.StringIO(page.html)):
            uses[date.fromisoformat(row["start"][:10])] = float(row[column])
    return [
        math.log(
            sum(uses[FIRST + (7 * week + n) * DAY] for n in range(7))
            / sum(uses[FIRST + (7 * week + n) * DAY - YEAR] for n in range(7))
        )
        for week in range(8)
    ]


async def test_largest_saving_is_first_and_all_marks_are_inside_the_drawing(
    empty: ReleasedTown,
) -> None:
    await fill(empty)
    seen = await look(empty, await set_up(empty))
    first, *others = seen.compared
    assert first.place.slug == "lorient"
    assert first.standing is not None
    assert (first.standing.first, first.standing.last) == (1, 1)
    assert first.outcome is Outcome.REACHED_WITHIN_MARGIN
    assert (first.homes, first.homes_before, first.are_homes) == (22, 20, True)
    assert seen.comparison.is_conclusive
    assert [
        (each.place.slug, each.standing.first, each.standing.last, each.outcome)
        for each in others
        if each.standing
    ] == [
        ("lanester", 2, 5, Outcome.MISSED),
        ("ecole-de-kersabiec", 2, 5, Outcome.MISSED),
        ("ploemeur", 2, 5, Outcome.MISSED),
        ("ecole-bois-bissonnet", 2, 5, Outcome.MISSED),
    ]
    assert len(draw_ranking(seen).rows) == len(draw_weeks(seen).rows) == len(SLUGS)
    ranking, weeks = draw_ranking(seen, 2), draw_weeks(seen, 2)
    shown = [row.participant.place.slug for row in ranking.rows]
    assert shown == [row.participant.place.slug for row in weeks.rows] == ["lorient", "lanester"]
    for row in ranking.rows:
        assert row.low is not None
        assert row.high is not None
        assert 0 <= row.low < row.x < row.high <= 100
    assert 0 <= ranking.objective < ranking.zero <= 100
    weekly = weeks.rows[0]
    # A saving hangs from the middle, and the objective is below it.
    assert all(bar.is_saving and bar.y == weekly.middle for bar in weekly.bars)
    assert weekly.middle < weekly.objective <= weekly.middle + 1.5
    assert [bar.x + bar.width <= 100 for bar in weekly.bars] == [True] * 8


async def test_commune_published_with_others_is_left_out_with_a_reason(
    empty: ReleasedTown,
) -> None:
    """Its own group, and one that came to be published with others, later."""
    await fill(empty)
    challenge = await set_up(empty)
    larmor = await empty.group(GroupKind.AREA, "Larmor-Plage")
    gavres = await empty.group(GroupKind.AREA, "Gâvres")
    async with empty.store.writing() as connection:
        names = {larmor: "Larmor-Plage", gavres: "Gâvres"}
        both = await combined(connection, frozenset({larmor, gavres}), names)
    await release_days(
        empty, both, (FIRST - YEAR, LAST - YEAR), lambda _: {Direction.CONSUMPTION: 9_000}
    )
    participants = challenge.participants | {larmor}
    seen = await look(empty, replace(challenge, participants=participants))
    (left,) = seen.left_out
    assert (left.place.slug, left.gap) == ("larmor-plage", Gap.TOGETHER)
    assert len(seen.compared) == len(SLUGS)
    typed = replace(TYPED, participants=("lorient", "larmor-plage"))
    with pytest.raises(BadChallenge) as refused:
        await actions(empty.store, empty.settings).set_challenge(typed)
    assert set(refused.value.errors) == {"participants"}


async def test_missing_days_and_weeks_count_for_no_participant(empty: ReleasedTown) -> None:
    await fill(empty)
    ploemeur = await empty.group(GroupKind.AREA, "Guidel")
    for shift in (YEAR, timedelta()):
        for start in (FIRST, FIRST + 21 * DAY, FIRST + 42 * DAY):
            await release_days(
                empty,
                ploemeur,
                (start - shift, start - shift + 10 * DAY),
                lambda _: {Direction.CONSUMPTION: 9_000},
            )
    typed = replace(TYPED, participants=("lorient", "lanester", "guidel"))
    seen = await look(empty, await set_up(empty, typed))
    # Of each three weeks eleven days are published: a whole week, and four days of the next one.
    assert [week.days for week in seen.comparison.weeks] == [7, 4, 7, 4, 7, 4]
    typed = replace(TYPED, participants=("lorient", "lanester", "guidel", "ploemeur"))
    assert len((await look(empty, await set_up(empty, typed))).comparison.weeks) == 6


async def test_invalid_challenge_is_refused_by_field(empty: ReleasedTown) -> None:
    await fill(empty, until=FIRST)
    for field, typed in (
        ("name_fr", "  "),
        ("name_en", "x" * 81),
        ("first_day", "13/04/2026"),
        ("last_day", "2026-04-20"),
        ("last_day", "2028-04-20"),
        ("objective", "0"),
        ("objective", "ten"),
        ("objective", "51 %"),
        ("participants", ("lorient",)),
        ("participants", ("lorient", "lorient")),
        ("participants", ("lorient", "all")),
        ("participants", ("lorient", "nowhere")),
    ):
        with pytest.raises(BadChallenge) as refused:
            await set_up(empty, replace(TYPED, **{field: typed}))  # type: ignore[arg-type]
        assert list(refused.value.errors) == [field], typed
        assert all(words.say("fr") != words.say("en") for words in refused.value.errors.values())
    async with empty.store.reading() as connection:
        assert not await all_challenges(connection)


async def test_number_of_challenges_is_limited(empty: ReleasedTown) -> None:
    await fill(empty, until=FIRST)
    for n in range(MOST_CHALLENGES):
        await set_up(empty, replace(TYPED, name_en=f"Challenge {n}"))
    with pytest.raises(BadChallenge):
        await set_up(empty)


def test_challenge_ends_once_its_last_figures_are_published() -> None:
    challenge = Challenge(
        id=ChallengeId(1),
        name_fr="x",
        name_en="x",
        first_day=FIRST,
        last_day=LAST,
        objective_percent=10,
    )
    states = {n: state_of(challenge, LAST + n * DAY) for n in range(5)}
    assert state_of(challenge, FIRST - DAY) is State.BEFORE
    assert list(states.values()) == [
        State.RUNNING,
        State.CLOSING,
        State.CLOSING,
        State.ENDED,
        State.ENDED,
    ]


PATHS = ("challenges", "challenge/1", "challenge/1/hall", "challenge/1/poster")


async def test_pages_of_a_challenge_show_leader_and_margin(empty: ReleasedTown) -> None:
    await fill(empty)
    await set_up(empty)
    async with serving(empty) as town:
        for path in PATHS[1:]:
            page = await town.browser().open(path)
            assert page.status == 200
            assert "Lorient is ahead." in page.text
            page = await town.browser("fr").open(path)
            assert "Lorient est en tête." in page.text
            assert "Semaine 9 sur 11." in page.text
            assert re.search(r'<circle class="reached"[^>]*em"', page.html)
        page = await town.browser().open("challenge/1")
        assert "1 Lorient −12.5% −15.4% and −9.4% +5.1%" in page.text
        assert "2–5 Lanester −0.2% −2.8% and +2.6% +16.7% objective not reached" in page.text
        assert page.link("challenge/1/hall")
        assert page.link("challenge/1/poster")
        listed = await town.browser("fr").open("challenges")
        assert "Le défi de printemps 13 avril 2026 – 28 juin 2026 en cours" in listed.text
        for front in ("", "areas/lorient", "sites/ecole-de-kersabiec"):
            assert "The spring challenge" in (await town.browser().open(front)).text
        for path in ("challenge/2", "challenge/1/diploma/lorient", "challenge/x"):
            assert (await town.browser().open(path)).status == 404


async def test_indistinguishable_participants_have_no_leader(empty: ReleasedTown) -> None:
    await fill(empty)
    await set_up(empty, replace(TYPED, participants=("ploemeur", "lanester")))
    async with serving(empty) as town:
        page = await town.browser("fr").open("challenge/1")
        assert "Encore trop serré pour désigner un gagnant." in page.text
        assert "1–2 Lanester" in page.text
        town.now = NOW + timedelta(days=365)
        page = await town.browser("fr").open("challenge/1")
        assert "Trop serré pour désigner un gagnant." in page.text
        assert (
            "Trop serré pour désigner un gagnant."
            in (await town.browser("fr").open("challenge/1/hall")).text
        )


async def test_each_chart_of_a_challenge_is_a_picture_too(empty: ReleasedTown) -> None:
    await fill(empty)
    await set_up(empty)
    async with serving(empty) as town:
        page = await town.browser("fr").open("challenge/1")
        # Without the script that makes it, no button for a PNG is shown.
        buttons = re.findall(r'<button type="button" class="png".* (\w+)>', page.html)
        assert buttons == 2 * ["hidden"]
        for drawn, words in (("ranking", "objectif atteint"), ("weeks", "plus que les autres")):
            assert page.link(f"challenge/1/{drawn}.svg")
            picture = await town.browser("fr").open(f"challenge/1/{drawn}.svg")
            assert picture.headers["Content-Type"] == "image/svg+xml; charset=utf-8"
            assert "Lorient est en tête." in picture.text
            assert words in picture.text
            # Its colours do not depend on the style of a page.
            assert not re.findall(r"<(?:rect|circle)(?! [^>]*fill=)", picture.html)
        town.now = NOW - 60 * DAY
        for drawn in ("ranking", "weeks"):
            assert (await town.browser().open(f"challenge/1/{drawn}.svg")).status == 404


async def test_page_of_a_challenge_states_its_phase(empty: ReleasedTown) -> None:
    await fill(empty)
    await set_up(empty)
    async with serving(empty) as town:
        for days, words in (
            (-60, "Everybody can still win."),
            (-58, "There is nothing to compare yet."),
            (-45, "Too early for a ranking. A ranking needs 3 weeks"),
            (19, "It is over; the last figures are still to come."),
            (22, "It is over."),
        ):
            town.now = NOW + days * DAY
            page = await town.browser().open("challenge/1")
            assert words in page.text
            for name in COMMUNES:
                assert name in page.text
            for path in PATHS:
                assert (await town.browser("fr").open(path)).status == 200


async def test_ranked_participants_get_a_diploma_after_the_end(empty: ReleasedTown) -> None:
    await fill(empty, until=LAST)
    await set_up(empty)
    empty.now = NOW + timedelta(days=30)
    async with serving(empty) as town:
        page = await town.browser("fr").open("challenge/1")
        assert len(re.findall("challenge/1/diploma/", page.html)) == len(SLUGS)
        page = await town.browser("fr").open("challenge/1/diploma/lorient")
        assert "a participé à « Le défi de printemps »" in page.text.replace("\u202f", " ")
        assert "rang 1 sur 5 · objectif atteint" in page.text
        page = await town.browser().open("challenge/1/diploma/ploemeur")
        assert "between rank 2 and rank 5 of 5" in page.text
        assert "objective" not in page.text
        assert (await town.browser().open("challenge/1/diploma/guidel")).status == 404


async def test_open_data_contains_the_results(empty: ReleasedTown) -> None:
    await fill(empty)
    await set_up(empty)
    async with serving(empty) as town:
        described = json.loads((await town.browser().open("data/openapi.json")).html)
        for path, schema in (("s", "Challenges"), ("s/1", "ChallengeResult")):
            page = await town.browser().open(f"data/challenge{path}.json")
            assert page.headers["Access-Control-Allow-Origin"] == "*"
            document = json.loads(page.html)
            reference = {"$ref": f"#/components/schemas/{schema}"}
            jsonschema.validate(document, reference | {"components": described["components"]})
        assert document["participants"][0] == {
            "group": "lorient",
            "name": "Lorient",
            "change": -0.1245,
            "low": -0.1536,
            "high": -0.0944,
            "change_since_year_before": 0.0506,
            "rank_first": 1,
            "rank_last": 1,
            "objective": "reached-within-margin",
            "left_out": None,
            "members": 22,
            "members_year_before": 20,
        }
        page = await town.browser().open("data/challenges/1.csv")
        lines = list(csv.DictReader(io.StringIO(page.html)))
        assert len(lines) == 8 * len(SLUGS)
        week = document["weekly"][0]["groups"]["lorient"]
        assert float(lines[0]["use_wh"]) == week["use"]
        # As docs/challenge.md has pupils compute it.
        change = float(lines[0]["use_wh"]) / float(lines[0]["use_year_before_wh"]) - 1
        assert change == pytest.approx(float(lines[0]["change"]), abs=1e-4)
        assert float(lines[0]["relative_change"]) == week["relative_change"]
        for path in ("2.json", "1.xml", "x.csv"):
            page = await town.browser().open(f"data/challenges/{path}")
            assert page.status == 404
            assert page.headers["Content-Type"].startswith("application/problem+json")


async def test_member_receives_the_standing_of_its_group(empty: ReleasedTown) -> None:
    """Its commune, several published together, or itself as a site; and nothing before weeks."""
    await fill(empty)
    challenge = await set_up(empty)
    published = Published("lorient", empty.settings.time_zone, empty.settings.publication)
    home = Member(
        id=MemberId(1),
        pseudonym="home",
        jid=None,
        kind=MemberKind.HOME,
        name=None,
        description=None,
        website=None,
        area="Lorient",
        invitation_id=None,
        joined_at=NOW,
        left_at=None,
    )
    school = replace(home, kind=MemberKind.SITE, name="École de Kersabiec")
    elsewhere = replace(home, area=None)
    async with empty.store.reading() as connection:
        current = CurrentChallenges()
        standings = [
            await current.of_member(connection, published, member, NOW)
            for member in (home, school, elsewhere)
        ]
        later = LAST + timedelta(days=15)
        after = NOW + (later - NOW.date())
        assert await current.of_member(connection, published, home, after) is None
        early = await CurrentChallenges().of_member(
            connection, published, home, NOW - timedelta(days=45)
        )
    commune, building, nobody = standings
    assert nobody is None
    assert commune is not None
    assert (commune.participant, commune.participants) == ("Lorient", len(SLUGS))
    assert commune.standing == Change(
        change=Decimal("-12.5"),
        low=Decimal("-15.4"),
        high=Decimal("-9.4"),
        rank_first=1,
        rank_last=1,
    )
    assert building is not None
    assert building.participant == "École de Kersabiec"
    assert early is not None
    assert early.standing is None
    assert early.objective == challenge.objective_percent
