"""The report of a month or a year says what it covers, and what is hidden and why."""

from collections.abc import Callable
from datetime import datetime, timedelta

from consometers_node.collective.disclosure.reasons import Reason
from consometers_node.series import Interval
from testing.pages.town import NOW, ZONE, ReleasedTown, day_of

YESTERDAY = NOW.date() - timedelta(days=1)
DAY = timedelta(days=1)


def always(watts: int) -> Callable[[int], int]:
    return lambda hour: watts


async def test_figures_stand_with_their_basis(town: ReleasedTown) -> None:
    page = await town.browser().open("report/month/2026-06")
    month = await town.browser().open("month/2026-06")
    for value in ("144000", "480000"):
        assert f'-before" data-value="{value}"' in page.html
    assert 'data-figure="production" data-value="144000"' in page.html
    assert 'data-figure="production" data-value="144000"' in month.html
    assert (
        "Solar production 144 kWh 3.89 kWh per roof with panels (37) 48 of 216 hours" in page.text
    )
    assert "École de Kersabiec 1,850 m²" in page.text
    assert "−0" not in page.text


async def test_hidden_hours_and_days_are_counted_by_reason(empty: ReleasedTown) -> None:
    everybody = await empty.group()
    await empty.release(everybody, day_of(YESTERDAY - 2 * DAY, YESTERDAY, production=always(500)))
    drawn = day_of(YESTERDAY, consumption=always(900))
    await empty.release(everybody, drawn)
    hidden = [datetime.combine(YESTERDAY - n * DAY, datetime.min.time(), ZONE) for n in (1, 2)]
    await empty.close(hidden, Reason.DOMINANCE, interval=Interval.P1D)
    page = await empty.browser().open("report/month/2026-06")
    words = "not published: fewer than 10 homes, or a few of them make most of it"
    assert f"From the grid 72 48 0 2 days: {words}" in page.text
    assert "Solar production 72 0 0 –" in page.text


async def test_homes_of_a_report_are_those_at_first_and_in_the_end(empty: ReleasedTown) -> None:
    everybody = await empty.group()
    await empty.release(everybody, day_of(YESTERDAY - DAY, consumption=always(900)), 12)
    await empty.release(everybody, day_of(YESTERDAY, consumption=always(900)), 40)
    page = await empty.browser().open("report/year/2026")
    assert "The sums had 12 homes at first, and 40 at the end." in page.text


async def test_report_of_a_municipality_names_its_cooperatives_and_communes(
    town: ReleasedTown,
) -> None:
    await town.below(await town.group())
    page = await town.browser().open("report/year/2026")
    assert "Larmor-Plage" in page.text


async def test_report_without_figures_says_so(town: ReleasedTown, empty: ReleasedTown) -> None:
    page = await town.browser("fr").open("report/year/2021")
    assert "Rien à afficher pour cette période" in page.text
    assert (await empty.browser().open("report/year/2026")).status == 404
