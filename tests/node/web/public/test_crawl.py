"""Each figure of each hour, day, month and year has one value, wherever anybody reads it."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import date, datetime, time, timedelta
from pathlib import Path
import re
from typing import Any, NamedTuple

from prometheus_client.parser import text_string_to_metric_families
import pytest
from yarl import URL

from consometers_node.collective.calendar import days_of, instants
from consometers_node.figures import FIGURES, Unit
from consometers_node.series import Direction, Interval, Range
from consometers_node.store import Store
from consometers_node.store.collective.groups import all_groups
from consometers_node.store.collective.published_series import (
    devices,
    own_series,
    published_records,
)
from consometers_quoalise import iso8601
from consometers_quoalise.records.identifier import SeriesPath, organisation
from testing.collectives.watched import metrics_of as read_metrics, watch_of
from testing.databases.fixtures import KINDS as DATABASES
from testing.pages.autumn import (
    ABOVE,
    AUTUMN,
    BEGUN,
    COLLECTIVE,
    HOUR,
    JOINED,
    MONTH,
    MUNICIPALITY,
    NOW,
    SPANS,
    ZONE,
    fill,
    fill_above,
)
from testing.pages.crawl import DIRECTIONS, TODAY, Crawl, Figure, GroupPlace, Known, rounded, shown
from testing.pages.town import ReleasedTown, serving, settings

pytestmark = pytest.mark.timeout(1_200)  # the crawl takes a minute of processor

ALL = GroupPlace("all", "")
LORIENT, LARMOR, BOTH = "lorient", "larmor-plage", "larmor-plage-lorient"
COMMUNES = (LORIENT, LARMOR, BOTH)
SITES = ("ecole-de-kersabiec", "salle-de-kermelo")
KINDS = ("school", "community-hall")
PLACES = (
    ALL,
    *(GroupPlace(group, f"areas/{group}/") for group in COMMUNES),
    *(GroupPlace(group, f"sites/{group}/") for group in SITES),
    *(GroupPlace(group, None) for group in KINDS),
)
GROUPS = tuple(place.group for place in PLACES)
WITHOUT_DAYS = (LARMOR, *SITES, *KINDS)
"""Groups without homes that send days alone."""
DAYS = [day for span in SPANS for day in span]
LONG_AGO, MARCH = MONTH.replace(year=2025), date(2026, 3, 1)
MONTHS = (LONG_AGO, MARCH, MONTH)
YEARS = (date(2025, 1, 1), date(2026, 1, 1))
SOURCES = {
    *("CSV", "page", "report", "first page", "card", "hall", "metrics", "peers"),
    *(f"{what} of a {kind}" for what in ("CSV", "table") for kind in ("day", "month", "year")),
}
A_DAY, A_YEAR = "a day earlier", "a year earlier"
ENERGIES = [key for key, figure in FIGURES.items() if figure.unit is Unit.ENERGY]
DAY = timedelta(days=1)
_CHANGED = (25, 26)
"""Days of October that have not the same hours as the day before."""
_JOULES = 3600
_METRIC = re.compile(r"consometers_published_(today_)?(?:(\w+)_)?(?:ratio|watts|joules)")


def written(at: datetime) -> str:
    return iso8601.shown(at.astimezone(ZONE))


def midnight(day: date) -> str:
    return iso8601.shown(datetime.combine(day, time(), ZONE))


LAST = written(NOW.replace(minute=0) - HOUR)
"""The last interval of which anything was published."""


class Crawls(NamedTuple):
    """What was read of a collective, and of a municipality above it."""

    collective: Crawl
    municipality: Crawl


@pytest.fixture(scope="session")
def read() -> dict[str, Crawls]:
    """What was read in each kind of database, once it was."""
    return {}


@pytest.fixture(params=DATABASES)
def place(request: pytest.FixtureRequest) -> str:
    """Return the kind of database of both collectives."""
    kind: str = request.param
    return kind


@pytest.fixture
async def crawls(
    read: dict[str, Crawls],
    place: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    socket_enabled: None,
) -> Crawls:
    if place in read:
        return read[place]
    new_database: Callable[[str], Awaitable[Path | str]]
    new_database = request.getfixturevalue("new_database")
    async with AsyncExitStack() as stack:
        below, above = [await Store.open(await new_database(place)) for _ in range(2)]
        for store in (below, above):
            stack.push_async_callback(store.close)
        await fill(below)
        town = ReleasedTown(below, settings(tmp_path, identifier=COLLECTIVE), now=NOW)
        async with serving(town):
            collective = await read_all(town)
        await fill_above(above, below)
        town = ReleasedTown(above, settings(tmp_path, identifier=MUNICIPALITY), now=NOW)
        async with serving(town):
            read[place] = Crawls(collective, await read_above(town))
    return read[place]


@pytest.fixture
def crawl(crawls: Crawls) -> Crawl:
    return crawls.collective


@pytest.fixture
def above(crawls: Crawls) -> Crawl:
    return crawls.municipality


def in_english(town: ReleasedTown) -> Crawl:
    """Return a crawl of a collective that has read nothing yet."""

    async def read(path: str) -> str:
        assert town.session is not None
        english = {"Accept-Language": "en"}
        async with town.session.get(town.url.join(URL(path)), headers=english) as answer:
            assert answer.status == 200, path
            return await answer.text()

    return Crawl(read)


async def read_above(town: ReleasedTown) -> Crawl:
    """Read what a municipality publishes of the days that it has."""
    crawl = in_english(town)
    await crawl.open_data(ALL.group, "PT1H", ABOVE.first, ABOVE.last)
    for interval in ("P1D", "P1M", "P1Y"):
        await crawl.open_data(ALL.group, interval, MONTH, AUTUMN.last)
    for day in ABOVE:
        await crawl.page(ALL, "day", f"{day}", midnight(day))
    await crawl.page(ALL, "month", f"{MONTH:%Y-%m}", midnight(MONTH))
    await crawl.page(ALL, "year", f"{MONTH:%Y}", midnight(YEARS[-1]))
    return crawl


async def read_all(town: ReleasedTown) -> Crawl:
    """Read all that there is."""
    crawl = in_english(town)
    for place in PLACES:
        for span in SPANS:
            await crawl.open_data(place.group, "PT1H", span.first, span.last)
        for month in MONTHS:
            await crawl.open_data(place.group, "P1D", month, days_of(month)[-1])
        for interval in ("P1M", "P1Y"):
            await crawl.open_data(place.group, interval, LONG_AGO, AUTUMN.last)
        await read_peers(town, crawl, place.group)
        if place.base is None:
            continue
        for day in DAYS:
            is_today = day == AUTUMN.last
            await crawl.page(place, "day", f"{day}", midnight(day), is_today=is_today)
        for month in MONTHS:
            await crawl.page(place, "month", f"{month:%Y-%m}", midnight(month))
        for year in YEARS:
            await crawl.page(place, "year", f"{year:%Y}", midnight(year))
        if place == ALL:
            for month in MONTHS:
                await crawl.report(place, "month", f"{month:%Y-%m}", midnight(month))
            for year in YEARS:
                await crawl.report(place, "year", f"{year:%Y}", midnight(year))
        names = ("",) if place.group in COMMUNES else ("", "card", "hall")
        await crawl.live(place, LAST, names)
    see_metrics(crawl, (await read_metrics(watch_of(town)))[0])
    return crawl


async def read_peers(town: ReleasedTown, crawl: Crawl, group: str) -> None:
    """Note what peers receive of a group, which is named as its address is."""
    name = COLLECTIVE if group == ALL.group else f"{COLLECTIVE}-{group}"
    async with town.store.reading() as connection:
        own = devices(COLLECTIVE, await all_groups(connection)).values()
        (device,) = [device for device in own if device == str(organisation(name))]
        for direction in Direction:
            for interval in (Interval.PT1H, Interval.P1D):
                series = own_series(device, direction, interval, ZONE.key)
                within = Range(instants(ZONE.key, DAYS[0]).start, NOW)
                records, beside = await published_records(connection, COLLECTIVE, series, within)
                for record in records:
                    figure = Figure(group, interval, written(record.start), direction)
                    crawl.see(figure, "peers", record.value)
                    members = beside[SeriesPath.MEMBERS][record.start]
                    crawl.see(figure._replace(what="members"), "peers", members)


def see_metrics(crawl: Crawl, text: str) -> None:
    """Note the published figures of all members in the metrics."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            named = _METRIC.fullmatch(sample.name)
            if named is None:
                continue
            of_today, name = named.groups()
            where = (TODAY, "") if of_today else ("PT1H", LAST)
            key = sample.labels.get("direction") or name.replace("_", "-")
            digits, factor = (1, _JOULES) if of_today and key in DIRECTIONS else (4, 1)
            value = round(sample.value / factor, digits)
            crawl.see(Figure(ALL.group, *where, key), "metrics", value)


def test_each_figure_has_one_value(crawl: Crawl) -> None:
    assert not crawl.contradictions, shown(crawl.contradictions)
    assert crawl.sources.keys() == SOURCES


def test_each_figure_of_a_municipality_has_one_value(above: Crawl) -> None:
    assert not above.contradictions, shown(above.contradictions)
    assert above.sources.keys() == {
        source for source in SOURCES if source.startswith(("CSV", "table")) or source == "page"
    }


def test_a_municipality_has_the_hours_of_its_collective(crawls: Crawls) -> None:
    """With their energies, their members, and the mark of those that lack homes."""
    below, above = (each.points[ALL.group, "PT1H"] for each in crawls)
    count = Counter[str]()
    for start, figures in above.items():
        for key in DIRECTIONS:
            own, its = figures[key], below[start][key]
            for what in ("value", "members", "hours_without_homes"):
                assert own[what] == its[what], (start, key, what)
            count[key] += own["hours_without_homes"]
    assert count["consumption"] == 2
    assert count["injection"] > 2


def test_rates_of_a_municipality_mix_no_hours_with_and_without_homes(above: Crawl) -> None:
    hours = above.points[ALL.group, "PT1H"]
    assert_rates(above, ALL.group, "PT1H", {start: [point] for start, point in hours.items()})
    within = {
        midnight(day): [point for at, point in hours.items() if at[:10] == f"{day}"]
        for day in ABOVE
    }
    assert_rates(above, ALL.group, "P1D", within)


def test_the_month_has_what_makes_figures_differ(crawl: Crawl) -> None:
    """Days of 25 and 23 hours, hours without homes, communes together, homes that join."""
    days = {day: crawl.points["all", "P1D"][midnight(day)] for day in DAYS[:-1]}
    ended = [days[day]["consumption"]["hours_ended"] for day in (DAYS[4], DAYS[7], DAYS[32])]
    assert ended == [25, 23, 25]
    assert days[date(2026, 10, 8)]["consumption"]["hours_without_homes"] == 2
    assert crawl.number("all", "P1M", midnight(MONTH), "injection", "hours_without_homes") > 10
    assert len([*known(crawl, BOTH, "PT1H", "injection")]) > 20
    homes = [
        crawl.number("all", "PT1H", written(at), "consumption", "homes")
        for at in (JOINED - HOUR, JOINED)
    ]
    assert homes == [27, 39]
    assert not crawl.number(SITES[1], "P1M", midnight(MONTH), "self-consumed")


def test_nothing_is_missing_before_the_first_closed_day(crawl: Crawl) -> None:
    """Hours count from that day on, and those of a direction that began later are not yet there."""
    first = BEGUN[Direction.CONSUMPTION].astimezone(ZONE).date()
    of_days = crawl.points[ALL.group, "P1D"]
    assert min(of_days) == midnight(first)
    panels = BEGUN[Direction.PRODUCTION].astimezone(ZONE).date()
    before = [of_days[midnight(day)]["production"] for day in DAYS if day < panels]
    assert [point["withheld"] for point in before] == ["not-yet"] * (panels - first).days
    for interval, start, end in (
        ("P1M", LONG_AGO, LONG_AGO.replace(month=11)),
        ("P1Y", YEARS[0], YEARS[1]),
    ):
        ended = sum(1 for _ in hours_of(first, end - timedelta(days=1)))
        for key in DIRECTIONS:
            for group in (ALL.group, *SITES):
                hours = crawl.number(group, interval, midnight(start), key, "hours_ended")
                assert hours == ended, (group, interval, key)


@pytest.mark.parametrize("interval", ["PT1H", "P1D", "P1M", "P1Y"])
def test_all_members_are_the_sum_of_their_communes(crawl: Crawl, interval: str) -> None:
    for key in DIRECTIONS:
        for start, value in known(crawl, ALL.group, interval, key):
            parts = [
                crawl.points[group, interval].get(start, {}).get(key, {}).get("value") or 0
                for group in COMMUNES
            ]
            assert sum(parts) == value, (start, key, parts)


@pytest.mark.parametrize("interval", ["PT1H", "P1D", "P1M", "P1Y"])
def test_buildings_of_a_kind_are_the_sum_of_their_sites(crawl: Crawl, interval: str) -> None:
    for site, kind in zip(SITES, KINDS, strict=True):
        of_kind = crawl.points[kind, interval]
        for start, figures in crawl.points[site, interval].items():
            for key in DIRECTIONS:
                assert of_kind[start][key] == figures[key]


def test_a_day_is_the_sum_of_its_hours(crawl: Crawl) -> None:
    for group in WITHOUT_DAYS:
        assert_sums(crawl, group, "P1D", "PT1H", lambda start: start[:10])


@pytest.mark.parametrize(("longer", "shorter", "digits"), [("P1M", "P1D", 7), ("P1Y", "P1M", 4)])
def test_months_and_years_are_the_sums_of_their_days(
    crawl: Crawl, longer: str, shorter: str, digits: int
) -> None:
    for group in GROUPS:
        assert_sums(crawl, group, longer, shorter, lambda start: start[:digits])


def assert_sums(
    crawl: Crawl, group: str, longer: str, shorter: str, part_of: Callable[[str], str]
) -> None:
    for start, figures in crawl.points[group, longer].items():
        for key in figures.keys() & {*ENERGIES}:
            parts = [
                point[key]
                for at, point in crawl.points[group, shorter].items()
                if part_of(at) == part_of(start)
            ]
            if longer == "P1D" and not parts:
                continue
            for what in ("value", "hours", "hours_without_homes"):
                whole = crawl.number(group, longer, start, key, what)
                assert sum(part[what] or 0 for part in parts) == pytest.approx(whole, abs=1), (
                    group,
                    start,
                    key,
                    what,
                )


def test_rates_are_of_the_hours_in_which_all_energies_are_of_the_same_homes(crawl: Crawl) -> None:
    """What the formulas give of the hourly energies is what days and months say."""
    for group in WITHOUT_DAYS:
        hours = crawl.points[group, "PT1H"]
        assert_rates(crawl, group, "PT1H", {start: [point] for start, point in hours.items()})
        for interval, digits, starts in (
            ("P1D", 10, map(midnight, DAYS[:-1])),
            ("P1M", 7, map(midnight, MONTHS[:2])),
        ):
            within = {
                start: [point for at, point in hours.items() if at[:digits] == start[:digits]]
                for start in starts
            }
            assert_rates(crawl, group, interval, within)


def assert_rates(
    crawl: Crawl,
    group: str,
    interval: str,
    hours: Mapping[str, Sequence[Mapping[str, Mapping[str, Any]]]],
) -> None:
    for start, points in hours.items():
        alike = [
            [point[key]["value"] for key in ("production", "injection", "consumption")]
            for point in points
            if {*DIRECTIONS} <= point.keys()
            and all(point[key]["value"] is not None for key in DIRECTIONS)
            and len({point[key]["hours_without_homes"] for key in DIRECTIONS}) == 1
        ]
        made, fed, drawn = (
            (sum(values) for values in zip(*alike, strict=True)) if alike else 3 * [0]
        )
        used = made - fed
        expected: dict[str, float | None] = {
            "production-share": made / (used + drawn) if used + drawn else None,
            "self-sufficiency": used / (used + drawn) if used + drawn else None,
        }
        if group == LARMOR:
            shared = sum(min(fed, drawn) for _, fed, drawn in alike)
            share = (used + shared) / (used + drawn) if used + drawn else None
            expected["local-coverage"] = share
        for key, rate in expected.items():
            value = crawl.points[group, interval].get(start, {}).get(key, {}).get("value")
            assert value == pytest.approx(rate, abs=5.1e-5), (group, interval, start, key)


def test_a_comparison_is_at_equal_membership(crawl: Crawl) -> None:
    """Of 27 homes that drew so much, 39 like them draw so much more; buildings stay as they are."""
    for direction in DIRECTIONS:
        points = crawl.points[ALL.group, "PT1H"]
        count = 0
        for at in hours_of(AUTUMN.first + timedelta(days=1), AUTUMN.last):
            start, then = written(at), written(at.astimezone(ZONE) - DAY)
            now, before = (points.get(each, {}).get(direction) for each in (start, then))
            if now is None or before is None or at.astimezone(ZONE).day in _CHANGED:
                continue
            if not now["homes"] or not before["homes"]:
                continue
            public = sum(crawl.number(site, "PT1H", then, direction) for site in SITES)
            expected = before["per_home"] * now["homes"] + public
            values = crawl.seen[Figure(ALL.group, "PT1H", start, direction, A_DAY)]
            assert values["CSV of a day"] == pytest.approx(expected, abs=3), (start, direction)
            count += 1
        assert count > 400


@pytest.mark.parametrize("group", GROUPS[:6])
@pytest.mark.parametrize("key", ["production", "consumption"])
def test_a_page_compares_as_its_table_does(crawl: Crawl, group: str, key: str) -> None:
    """What a page says of the day or the year before is the sum of the rows known alike of both."""
    for day in DAYS[9:]:
        is_today = day == AUTUMN.last
        whole = (TODAY, "") if is_today else ("P1D", midnight(day))
        if day.day in _CHANGED:
            continue
        pairs = [
            (written(at), written(at.astimezone(ZONE) - DAY))
            for at in hours_of(day, day)
            if at < NOW - HOUR
        ]
        assert_compared(crawl, Figure(group, *whole, key, A_DAY), "PT1H", pairs)
    days = [(midnight(day), midnight(day.replace(year=2025))) for day in [*AUTUMN][:-1]]
    month = Figure(group, "P1M", midnight(MONTH), key, A_YEAR)
    assert_compared(crawl, month, "P1D", days)
    assert crawl.seen[month]["CSV of a year"] == crawl.seen[month].get("page")


def assert_compared(
    crawl: Crawl, of_page: Figure, interval: str, pairs: Sequence[tuple[str, str]]
) -> None:
    group, key = of_page.group, of_page.key
    total, count = 0.0, 0
    for start, then in pairs:
        now, before = (
            crawl.points[group, interval].get(each, {}).get(key) for each in (start, then)
        )
        row = crawl.seen[Figure(group, interval, start, key, of_page.what)]
        if now and before and are_alike(now, before) and (value := rounded(row)) is not None:
            total, count = total + value, count + 1
    published = rounded(crawl.seen.get(of_page, {}))
    assert published == (pytest.approx(total, abs=0.05 * count + 0.05) if count else None), of_page


def are_alike(now: Mapping[str, Known], before: Mapping[str, Known]) -> bool:
    """Return whether two intervals are known alike: all of them, or as many hours of each."""
    if now["value"] is None or before["value"] is None:
        return False
    if now["hours_without_homes"] != before["hours_without_homes"]:
        return False
    are_whole = all(each["hours"] == each["hours_ended"] for each in (now, before))
    return are_whole or now["hours"] == before["hours"]


def known(crawl: Crawl, group: str, interval: str, key: str) -> Iterator[tuple[str, float]]:
    """Yield the published values of a figure, by the start of their interval."""
    for start, figures in crawl.points[group, interval].items():
        if key in figures and figures[key]["value"] is not None:
            yield start, figures[key]["value"]


def hours_of(first: date, last: date) -> Iterator[datetime]:
    """Yield when the hours of some civil days start."""
    at, end = instants(ZONE.key, first).start, instants(ZONE.key, last).end
    while at < end:
        yield at
        at += HOUR
