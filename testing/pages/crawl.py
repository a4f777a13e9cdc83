"""Reads all that a collective publishes, by the keys of figures, and finds those with two values.

It reads as anybody does: open data as JSON and as CSV, pages, their tables, and the tables’ CSV.
"""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
import csv
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from itertools import zip_longest
import json
import re
from typing import Any, Final, NamedTuple

from consometers_node.figures import FIGURES, Unit
from consometers_node.series import Direction

type Known = float | str | None

DIRECTIONS: Final = tuple(str(direction) for direction in Direction)
IN_ROWS: Final = {
    "made": "production",
    "spot": "self-consumed",
    "fed": "injection",
    "drawn": "consumption",
}
"""Figures in the rows of pages, which have them in whole Wh."""
HALF_WH: Final = 0.55
"""What a whole Wh may be away from a tenth of one."""
STEPS: Final = {"day": "PT1H", "month": "P1D", "year": "P1M"}
"""The intervals in the table of each page."""
WHOLES: Final = {"day": "P1D", "month": "P1M", "year": "P1Y"}
"""The interval of which each page is."""
EARLIER: Final = {"day": "a day earlier", "month": "a year earlier", "year": "a year earlier"}
TODAY: Final = "today"

_FACT: Final = re.compile(r'data-figure="([a-z-]+?)(-before|-now)?"(?: data-value="([^"]+)")?>')
_ROW: Final = re.compile(r"<tr([^>]*)><th scope=\"row\">")
_IN_ROW: Final = re.compile(r'data-([a-z-]+)="(\d+)"')
_END: Final = re.compile("</dd>|</tr>")
_HOURS: Final = re.compile(r"(?<!not counted in )(?<![\d.,])([\d.,]+) of ([\d.,]+) hours")
_WITHOUT: Final = re.compile(r"homes not counted in ([\d.,]+) of ([\d.,]+) hours")
_EACH: Final = {
    "homes": re.compile(r"per roof with panels \(([\d,]+)\)"),
    "members": re.compile(r"per (?:building|member) \(([\d,]+)\)"),
}
"""Of how many an average is, where a page says it."""


class Figure(NamedTuple):
    """A fact of a figure of a group in an interval; `key` is empty where it is of all energies."""

    group: str
    interval: str
    start: str
    key: str
    what: str = "value"


class GroupPlace(NamedTuple):
    """A group, and where its pages are; nowhere, where it has open data alone."""

    group: str
    base: str | None


@dataclass
class Crawl:
    """What was read of each figure, by where it was."""

    read: Callable[[str], Awaitable[str]]
    """Returns the text at an address."""
    points: dict[tuple[str, str], dict[str, dict[str, Mapping[str, Any]]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    """The open data of each interval of a group, by its start and the figure’s key."""
    seen: dict[Figure, dict[str, Known]] = field(default_factory=lambda: defaultdict(dict))
    """What other sources say."""
    sources: Counter[str] = field(default_factory=Counter)
    """How many facts each of them gave."""
    contradictions: list[str] = field(default_factory=list)

    def see(self, figure: Figure, source: str, value: Known) -> None:
        """Note a fact, and whether it contradicts others."""
        values = self.seen[figure]
        if not values and self._is_open(figure):
            values["JSON"] = self._open(figure)
        # Most runs have equal members.
        is_new = source.startswith("table") or any(value != other for other in values.values())
        values[source] = value
        self.sources[source] += 1
        if is_new and not _are_one(values):
            self.contradictions.append(f"{' '.join(figure)}: {values}")

    def number(self, group: str, interval: str, start: str, key: str, what: str = "value") -> float:
        """Return a number of the open data; 0 where nothing is known."""
        return self.points[group, interval][start][key][what] or 0

    async def open_data(self, group: str, interval: str, first: date, last: date) -> None:
        """Read all figures of some days, in both formats."""
        for key in FIGURES:
            path = f"data/{key}/by/{group}/{interval}/from/{first}/to/{last}"
            document = json.loads(await self.read(path))
            assert document["unit"] == FIGURES[key].unit
            for point in document["values"]:
                point["withheld"] = point["withheld"] and point["withheld"]["reason"]
                self.points[group, interval][point["start"]][key] = point
            names, *rows = csv.reader(StringIO(await self.read(f"{path}.csv")))
            self.sources["CSV"] += len(rows)
            for row, point in zip_longest(rows, document["values"], fillvalue=()):
                written = [_written(point[name]) for name in names] if point else []
                if row != written or len(point) != len(names):
                    self.contradictions.append(f"{path}: {point} and {row}")

    def _is_open(self, figure: Figure) -> bool:
        """Return whether the open data must have a fact."""
        return figure.interval != TODAY and "earlier" not in figure.what

    def _open(self, figure: Figure) -> Known:
        """Return what the open data say of a figure, or of all energies together."""
        points = self.points[figure.group, figure.interval].get(figure.start, {})
        if figure.key:
            if figure.key not in points:
                return "not there"
            point = points[figure.key]
            value: Known = _covered(point) if figure.what == "covers" else point[figure.what]
            return value
        every = [point[figure.what] for key, point in points.items() if key in DIRECTIONS]
        if figure.what == "withheld":
            return " ".join(sorted({reason for reason in every if reason}))
        most: float = max(every)
        return most

    async def page(
        self, place: GroupPlace, kind: str, period: str, start: str, *, is_today: bool = False
    ) -> None:
        """Read the page of a day, a month or a year from its start, with its table and CSV."""
        path = f"{place.base}{kind}/{period}"
        html = await self.read(path)
        step, earlier = STEPS[kind], EARLIER[kind]
        whole = (TODAY, "") if is_today else (WHOLES[kind], start)
        self.facts(Figure(place.group, *whole, ""), html, "page", earlier)
        rows = list(csv.DictReader(StringIO(await self.read(f"{path}.csv"))))
        for row in rows:
            self._see_row(place.group, step, row, f"CSV of a {kind}", earlier)
        lines = _ROW.findall(html)
        assert len(lines) <= len(rows)
        for line, row in zip(lines, rows, strict=False):
            self._see_line(place.group, step, row["start"], dict(_IN_ROW.findall(line)), kind)

    async def report(self, place: GroupPlace, kind: str, period: str, start: str) -> None:
        """Read the report of a month or a year."""
        html = await self.read(f"report/{kind}/{period}")
        self.facts(Figure(place.group, WHOLES[kind], start, ""), html, "report", EARLIER[kind])

    async def live(self, place: GroupPlace, last: str, names: Sequence[str]) -> None:
        """Read the first page of a group, its card and its wall; `last` is the last interval."""
        for name in names:
            html = await self.read(f"{place.base}{name}" if name else f"{place.base}".rstrip("/"))
            source = name or "first page"
            self.facts(Figure(place.group, TODAY, "", ""), html, source, EARLIER["day"], last=last)

    def facts(
        self, of_page: Figure, html: str, source: str, earlier: str, *, last: str = ""
    ) -> None:
        """Note the figures of a page, with the hours that each says that it covers."""
        places = [*_FACT.finditer(html)]
        ends = [place.start() for place in places[1:]]
        for place, end in zip_longest(places, ends):
            key, suffix, value = place.groups()
            words = _END.split(html[place.end() : end])[0]
            figure = of_page._replace(key=key)
            if suffix == "-now":
                figure = figure._replace(interval="PT1H", start=last)
            elif suffix == "-before":
                figure = figure._replace(what=earlier)
            else:
                self.see(figure._replace(what="covers"), source, _said(words))
                for what, each in _EACH.items():
                    for count in each.findall(words):
                        self.see(figure._replace(what=what), source, _plain(count))
            self.see(figure, source, _number(value or ""))

    def _see_row(
        self, group: str, interval: str, row: Mapping[str, str], source: str, earlier: str
    ) -> None:
        start = row["start"]
        present = self.points[group, interval].get(start, {}).keys()
        for key in FIGURES:
            name = key.replace("-", "_")
            facts = {
                "value": row[f"{name}_wh" if FIGURES[key].unit is Unit.ENERGY else name],
                "hours": row[f"{name}_hours"],
                "hours_without_homes": row[f"{name}_hours_without_homes"],
            }
            if key in present:
                for what, text in facts.items():
                    self.see(Figure(group, interval, start, key, what), source, _number(text))
            else:
                # The group has no such figure, or the interval is to come.
                assert [*facts.values()] == ["", "0", "0"], (group, row)
        for key in present & {*DIRECTIONS}:
            if self.number(group, interval, start, key, "homes"):
                average = _number(row[f"{key}_average_wh"])
                self.see(Figure(group, interval, start, key, "per_home"), source, average)
        for key in DIRECTIONS:
            before = _number(row[f"{key}_before_wh"])
            self.see(Figure(group, interval, start, key, earlier), source, before)
        if present:
            for what in ("hours_ended", "members", "members_counting", "homes"):
                self.see(Figure(group, interval, start, "", what), source, _number(row[what]))
            self.see(Figure(group, interval, start, "", "withheld"), source, row["withheld"])

    def _see_line(
        self, group: str, interval: str, start: str, line: Mapping[str, str], kind: str
    ) -> None:
        source = f"table of a {kind}"
        for name, key in IN_ROWS.items():
            if key in self.points[group, interval].get(start, ()):
                value = _number(line.get(name, ""))
                self.see(Figure(group, interval, start, key), source, value)
        for key in ("production", "consumption"):
            name = next(name for name, other in IN_ROWS.items() if other == key)
            before = _number(line.get(f"{name}-before", ""))
            self.see(Figure(group, interval, start, key, EARLIER[kind]), source, before)
        if "members" in line:
            members = _number(line["members"])
            self.see(Figure(group, interval, start, "", "members"), source, members)


def _are_one(values: Mapping[str, Known]) -> bool:
    exact = {value for source, value in values.items() if not source.startswith("table")}
    rounded = {value for source, value in values.items() if source.startswith("table")}
    if len(exact) != 1:
        return False
    (value,) = exact
    return all(
        number == value
        or (
            isinstance(number, float)
            and isinstance(value, int | float)
            and abs(number - value) <= HALF_WH
        )
        for number in rounded
    )


def _number(text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _plain(number: str) -> float:
    return float(number.replace(",", ""))


def _written(value: Known) -> str:
    """Return a fact of JSON as CSV has it."""
    return "" if value is None else str(value)


def _covered(point: Mapping[str, Any]) -> str:
    """Say what a page says of the hours that a figure covers."""
    hours, ended = point["hours"], point["hours_ended"]
    without = point["hours_without_homes"]
    some = f"{hours:g} of {ended:g}" if hours < ended else ""
    return some + (f", {without:g} of {hours:g} without homes" if without else "")


def _said(words: str) -> str:
    """Return what a page says of them, in the same words."""
    without = _WITHOUT.search(words)
    some = _HOURS.search(words)
    sentence = "{:g} of {:g}".format(*map(_plain, some.groups())) if some else ""
    if without:
        sentence += ", {:g} of {:g} without homes".format(*map(_plain, without.groups()))
    return sentence


def rounded(values: Mapping[str, Known]) -> float | None:
    """Return a number that pages and tables agree on, in the most exact way that one gives."""
    exact = [value for source, value in values.items() if not source.startswith("table")]
    number = next(iter(exact), None)
    return number if isinstance(number, int | float) else None


def shown(values: Sequence[str]) -> str:
    """Return some of many lines."""
    return "\n".join([f"{len(values)}:", *values[:40]])
