"""The dashboard as Home Assistant's frontend reads it. Pure: facts in, configuration out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from .facts import Collective, Home, Ids, Plant, Uncounted
from .moments import best_time, next_tariff, price
from .words import words_of

type Card = dict[str, Any]
type Flows = Mapping[str, Ids]
"""Statistics by energy flow."""

DRAWN: Final = "#488fc2"
INJECTED: Final = "#8353d1"
PRODUCED: Final = "#ff9800"
"""The colours of Home Assistant's Energy dashboard."""
_COLOURS: Final = {
    "drawn": DRAWN,
    "injected": INJECTED,
    "produced": PRODUCED,
    "self_consumed": PRODUCED,
    "part": PRODUCED,
    "simulated": PRODUCED,
    "cost_short": DRAWN,
}
_ICONS: Final = {
    "drawn": "mdi:transmission-tower-export",
    "injected": "mdi:transmission-tower-import",
    "produced": "mdi:solar-power-variant",
    "self_consumed": "mdi:home-lightning-bolt",
}
_QUANTITIES: Final = {"produced": "production", "drawn": "consumption", "injected": "injection"}
"""Energy flows of a collective, in the node's words."""
_RATES: Final = ("self_sufficiency", "self_consumption")
"""Rates of the day."""

_NO_COLOUR: Final = "disabled"

_COLUMNS: Final = 2
_HALF: Final = {"columns": 6}
_BESIDE_A_TILE: Final = {**_HALF, "rows": 1}
_WIDE: Final = {"columns": 12}
_FULL: Final = {"columns": "full"}
_DAYS: Final = {"period": "day", "days_to_show": 7}
_HOURS: Final = {"period": "hour", "days_to_show": 2}
_MONTHS: Final = {"period": "month", "days_to_show": 365}
_OWN_MONTHS: Final = {"period": "month", "days_to_show": 395}
"""A month beside the same one a year before."""
_DAY: Final = {"period": "5minute", "days_to_show": 1}

_SETTLING: Final = timedelta(hours=2)
"""A first row so soon after the beginning of a period is no late one."""

type Condition = dict[str, Any]


_ALL_COUNTED: Final = Uncounted()

WAITING: Final = "waiting"
"""Whether a graph has a sentence in its place, until the recorder has counted something."""
YOUNG: Final = "young"
"""Whether a title says since when it has figures, until they span what it shows."""


def dashboard(
    home: Home,
    collectives: Sequence[Collective],
    language: str,
    plants: Sequence[Plant] = (),
    uncounted: Uncounted = _ALL_COUNTED,
) -> dict[str, Any]:
    """Return a dashboard of two pages: what is now, and the months."""
    return _Writer(home, collectives, words_of(language), plants, uncounted).dashboard()


class _Writer:
    """Writes one dashboard. Missing facts have no card."""

    def __init__(
        self,
        home: Home,
        collectives: Sequence[Collective],
        words: Mapping[str, str],
        plants: Sequence[Plant],
        uncounted: Uncounted,
    ) -> None:
        self._home = home
        self._collectives = collectives
        self._words = words
        self._plants = plants
        self._uncounted = uncounted
        self._waiting = False
        self._young = False

    def dashboard(self) -> dict[str, Any]:
        home, collectives = self._home, self._collectives
        now = self._page(
            "now",
            [
                self._grid_now() if home.has_grid else (),
                self._panels_now() if home.has_panels else (),
                *map(self._plant_now, self._plants),
                *map(self._simulation_now, collectives),
            ],
            map(self._collective_now, collectives),
        )
        months = self._page(
            "months",
            [
                self._grid_months() if home.drawn else (),
                self._panels_months() if home.produced else (),
                *map(self._plant_months, self._plants),
                *map(self._simulation_months, collectives),
            ],
            (self._collective_months(each) for each in collectives if each.statistics),
        )
        if not now["sections"]:
            now["sections"] = [_section([_text(self._words["nothing"])], _COLUMNS)]
        return {
            "views": [now, months] if months["sections"] else [now],
            **({WAITING: True} if self._waiting else {}),
            **({YOUNG: True} if self._young else {}),
        }

    def _page(
        self, name: str, beside: Iterable[Iterable[Card]], below: Iterable[Iterable[Card]]
    ) -> dict[str, Any]:
        """Lay out sections: some beside each other, each of the others over all columns.

        One that has nothing beside it is as wide as they are.
        """
        present = list(filter(None, map(list, beside)))
        spans = [1] * len(present)
        if len(present) % _COLUMNS:
            spans[-1] = _COLUMNS
        return {
            "type": "sections",
            "title": self._words[name],
            "path": name,
            "max_columns": _COLUMNS,
            "sections": [
                *(_section(cards, span) for cards, span in zip(present, spans, strict=True)),
                *(_section(list(cards), _COLUMNS) for cards in below),
            ],
        }

    # My home

    def _grid_now(self) -> Iterator[Card]:
        home = self._home
        yield self._of_home()
        if home.used_power:
            used = "used_in_building" if home.is_building else "used"
            yield from self._powers(home.used_power, used, DRAWN)
            yield from self._tiles(home.drawn_power, "drawn_now", DRAWN)
            yield from self._tiles(home.injected_power, "injected_now", INJECTED)
            yield from self._lines(home.used_power, used, DRAWN)
        elif home.drawn_power:
            yield from self._powers(home.drawn_power, "drawn", DRAWN)
            yield from self._lines(home.drawn_power, "drawn", DRAWN)
        else:
            yield from self._powers(home.apparent_power, "apparent", DRAWN)
            yield from self._lines(home.apparent_power, "apparent", DRAWN)
        yield from self._today(
            {"drawn": home.drawn, "self_consumed": home.self_consumed},
            {"self_sufficiency": home.self_sufficiency},
        )
        yield from self._graph("week", _DAYS, self._grid_flows())
        yield from self._costs()
        yield from self._tariff()

    def _of_home(self) -> Card:
        if self._home.is_building:
            return _heading(self._words["this_building"], "mdi:office-building")
        return _heading(self._words["my_home"], "mdi:home")

    def _costs(self) -> Iterator[Card]:
        """Show what grid energy cost. A card adds no statistics up: several are a graph alone."""
        costs = self._counted_costs
        if len(costs) == 1 and ":" not in costs[0]:
            yield from self._amounts("cost", costs, "mdi:cash")
        elif costs:
            bars = {**_DAYS, "chart_type": "bar-stack"}
            yield from self._graph("week", bars, {"cost_short": costs})

    @property
    def _counted_costs(self) -> Ids:
        """The costs that the recorder has counted: without, a card would have a unit alone."""
        return tuple(each for each in self._home.cost if each not in self._uncounted.hours)

    def _amounts(self, title: str, amounts: Ids, icon: str) -> Iterator[Card]:
        """Show an amount of money, today and this month."""
        if not amounts:
            return
        yield _heading(self._words[title], style="subtitle")
        for name, period, start in self._periods():
            yield {
                "type": "statistic",
                "entity": amounts[0],
                "name": _sentence(self._since(amounts, start) or self._words[name]),
                "icon": icon,
                "stat_type": "change",
                "unit": self._home.currency_sign,
                "period": {"calendar": {"period": period}},
                "grid_options": _HALF,
            }

    def _periods(self) -> Iterator[tuple[str, str, datetime | None]]:
        """Yield the day and the month: their words, their names in a card, their beginnings."""
        now = self._uncounted.now
        midnight = None if now is None else now.replace(hour=0, minute=0, second=0, microsecond=0)
        yield "today", "day", midnight
        yield "this_month", "month", None if midnight is None else midnight.replace(day=1)

    def _since(
        self, statistics: Iterable[str], start: datetime | None, *, of_minutes: bool = False
    ) -> str | None:
        """Say since when there are figures of a period, if that is after its start."""
        uncounted = self._uncounted
        counted = uncounted.first_minutes if of_minutes else uncounted.first_hours
        first = min((counted[each] for each in statistics if each in counted), default=None)
        if first is None or start is None or uncounted.now is None or first < start + _SETTLING:
            return None
        self._young = True
        if first.date() == uncounted.now.date():
            return self._words["since"].format(when=f"{first:%H:%M}")
        month = self._words["month_names"].split()[first.month - 1]
        day = self._words["first_of_month"] if first.day == 1 else str(first.day)
        return self._words["since_day"].format(day=day, month=month)

    def _tariff(self) -> Iterator[Card]:
        """Show the tariff that runs, its price, and the days and peaks that the meter announces."""
        home = self._home
        prices = (_moment(price(each, home.currency, self._words), each) for each in home.price)
        tiles = [
            *self._known_tiles("tariff"),
            *({**each, "grid_options": _BESIDE_A_TILE} for each in prices),
            *self._known_tiles("colour_today", "colour_tomorrow", "peak_start"),
        ]
        for tariff, start in zip(home.next_tariff, home.next_tariff_start, strict=False):
            sentence = next_tariff(tariff, start, home.currency, self._words)
            tiles.append(_moment(sentence, start))
        yield from self._beneath("tariff_title", tiles)

    def _known_tiles(self, *facts: str) -> Iterator[Card]:
        return (
            _known_tile(each, name=self._words[fact], grid_options=_HALF)
            for fact in facts
            for each in getattr(self._home, fact)
        )

    def _grid_months(self) -> Iterator[Card]:
        yield self._of_home()
        yield from self._graph("year", _MONTHS, self._grid_flows())
        if costs := self._counted_costs:
            bars = {**_MONTHS, "chart_type": "bar-stack"}
            yield from self._graph("year", bars, {"cost_short": costs})

    def _panels_months(self) -> Iterator[Card]:
        yield _heading(self._words[self._panels], "mdi:solar-power-variant")
        yield from self._graph("year", _MONTHS, self._panels_flows())

    @property
    def _panels(self) -> str:
        return "its_panels" if self._home.is_building else "my_panels"

    def _grid_flows(self) -> Flows:
        """Return the home's sources of energy where they are known, else what crossed its meter."""
        home = self._home
        if home.self_consumed:
            return {"drawn": home.drawn, "self_consumed": home.self_consumed}
        if home.sells_all:
            return {"drawn": home.drawn}
        return {"drawn": home.drawn, "injected": home.injected}

    # My panels

    def _panels_now(self) -> Iterator[Card]:
        home = self._home
        yield _heading(self._words[self._panels], "mdi:solar-power-variant")
        if home.sells_all:
            yield _text(self._words["sells_all"])
        yield from self._powers(home.produced_power, "produced", PRODUCED, quiet=True)
        yield from self._lines(home.produced_power, "produced", PRODUCED)
        sold = home.injected if home.self_consumed else ()
        yield from self._today(
            {"produced": home.produced, "injected": sold},
            {"self_consumption": home.self_consumption},
        )
        yield from self._graph("week", _DAYS, self._panels_flows())
        saved = tuple(each for each in home.saved if each not in self._uncounted.hours)
        yield from self._amounts("saved", saved, "mdi:piggy-bank")

    def _panels_flows(self) -> Flows:
        """Return the destinations of the production where they are known."""
        home = self._home
        if home.self_consumed:
            return {"self_consumed": home.self_consumed, "injected": home.injected}
        return {"produced": home.produced}

    # My part of the citizens' panels: beside my own, and in no sum with it.

    def _plant_now(self, plant: Plant) -> Iterator[Card]:
        has = plant.entities
        yield self._of_plant(plant)
        for key, columns in (("power", _HALF), ("energy_today", _HALF), ("coverage", _WIDE)):
            if key in has:
                name = self._words[f"part_{key}"]
                yield _known_tile(has[key], PRODUCED, name=name, grid_options=columns)
        yield from self._graph("week", _DAYS, _part(plant))

    def _plant_months(self, plant: Plant) -> Iterator[Card]:
        if plant.statistic is not None:
            yield self._of_plant(plant)
            yield from self._graph("year", _MONTHS, _part(plant))

    def _of_plant(self, plant: Plant) -> Card:
        return _heading(
            self._words["part_of"].format(plant=plant.name), "mdi:solar-power-variant-outline"
        )

    # What I would have received of what members inject: beside my own, and in no sum with it

    def _simulation_now(self, collective: Collective) -> Iterator[Card]:
        has, simulated = collective.entities, self._simulated(collective)
        if not simulated:
            return
        yield from self._of_simulation(collective)
        for title, keys in (
            ("today", ("today", "coverage_today")),
            ("this_month", ("month", "coverage_month", "saving_month")),
        ):
            tiles = [
                _known_tile(
                    has[f"simulated_{key}"],
                    PRODUCED,
                    name=self._words[f"simulated_{key.partition('_')[0]}"],
                    state_content=["state", "counted"],
                    grid_options=_WIDE if key == "saving_month" else _HALF,
                )
                for key in keys
                if f"simulated_{key}" in has
            ]
            yield from self._beneath(title, tiles)
        yield from self._graph("week", _DAYS, {"simulated": simulated})
        yield _text(self._words["simulation"])

    def _simulation_months(self, collective: Collective) -> Iterator[Card]:
        if simulated := self._simulated(collective):
            yield from self._of_simulation(collective)
            yield from self._graph("year", _MONTHS, {"simulated": simulated})

    def _simulated(self, collective: Collective) -> Ids:
        """Return the statistic of a simulation that is shown, of a home whose use is counted."""
        is_shown = self._home.drawn and "simulated_month" in collective.entities
        return (collective.simulated,) if is_shown and collective.simulated else ()

    def _of_simulation(self, collective: Collective) -> Iterator[Card]:
        yield _heading(self._words["neighbours_sun"], "mdi:home-group-plus")
        yield _heading(collective.name, style="subtitle")

    # My collectives

    def _collective_now(self, collective: Collective) -> Iterator[Card]:
        has = collective.entities
        yield _heading(
            collective.name,
            "mdi:home-group",
            badges=[
                {
                    "type": "entity",
                    "entity": has[key],
                    "name": self._words[key],
                    "visibility": _if_known(has[key]),
                }
                for key in ("members", "sums_until")
                if key in has
            ],
        )
        # What came before it is in the graph of the last 48 hours.
        yield from self._beneath(
            "latest",
            [
                tile
                for key, words, colour in (
                    ("production_power", "produced", PRODUCED),
                    ("consumption_power", "drawn", DRAWN),
                    ("injection_power", "injected", INJECTED),
                )
                for tile in self._tiles(tuple(_those(has, key)), words, colour, grid_options=_WIDE)
            ],
        )
        yield from self._today({}, {key: tuple(_those(has, f"{key}_today")) for key in _RATES})
        if "surplus_likely" in has:
            yield from self._beneath("sun_hours", list(self._sun_hours(has)))
        yield from self._graph("two_days", _HOURS, _flows(collective))
        yield from self._not_shown(collective)
        yield from self._compared(collective)
        yield from self._challenge(collective)
        # An accidental touch would pause the sharing.
        leave = {"action": "none"}
        sharing: Card = {"name": self._words["sharing"], "icon_tap_action": leave}
        yield from self._beneath(
            "shared",
            [
                *(_tile(each, **sharing) for each in _those(has, "sharing")),
                *(
                    _known_tile(each, name=self._words["received"])
                    for each in _those(has, "last_acknowledged")
                ),
            ],
        )

    def _sun_hours(self, has: Mapping[str, str]) -> Iterator[Card]:
        """Show when there is a surplus: while there is one, no next one."""
        likely = has["surplus_likely"]
        yield _known_tile(likely, PRODUCED, name=self._words["surplus_likely"], grid_options=_WIDE)
        for each in _those(has, "next_surplus"):
            shown = {"visibility": [*_if_known(each), _none_of(_is(likely, "on"))]}
            name = self._words["next_surplus"]
            yield _tile(each, PRODUCED, name=name, grid_options=_HALF, **shown)
        if "best_start" in has and "best_end" in has:
            start, end = has["best_start"], has["best_end"]
            yield _moment(best_time(start, end, self._words), start)

    def _compared(self, collective: Collective) -> Iterator[Card]:
        """Compare a home with the others, and a public building with itself."""
        has = collective.entities
        if collective.is_site:
            yield from self._graph("own_months", _OWN_MONTHS, {"drawn": self._home.drawn})
            return
        yield from self._beneath(
            "last_month",
            [
                _known_tile(has[key], DRAWN, name=self._words[key], **more)
                for key, more in (
                    ("month_mine", {"grid_options": _HALF}),
                    ("month_median", {"grid_options": _HALF}),
                    ("month_difference", {"grid_options": _WIDE, "state_content": "signed"}),
                )
                if key in has
            ],
        )

    def _challenge(self, collective: Collective) -> Iterator[Card]:
        """Show how the home's commune does in a challenge, once that is known."""
        key = "challenge_building" if collective.is_site else "challenge_change"
        shown: Card = {"grid_options": _WIDE, "state_content": ["signed", "participant"]}
        challenge = tuple(_those(collective.entities, "challenge"))
        yield from self._beneath("challenge", list(self._tiles(challenge, key, **shown)))

    def _not_shown(self, collective: Collective) -> Iterator[Card]:
        """Explain which facts of a collective have no card, and why."""
        missing = [flow for flow, name in _QUANTITIES.items() if name in collective.missing]
        if missing:
            # Both rates are of all three energies.
            names = [self._words[each] for each in (*missing, *_RATES)]
            why = "unread" if collective.is_unread else "missing"
            sentence = self._words["not_shown"].format(what=", ".join(names).lower())
            yield _text(f"{sentence} {self._words[why]}")

    def _collective_months(self, collective: Collective) -> Iterator[Card]:
        yield _heading(collective.name, "mdi:home-group")
        yield from self._graph("year", _MONTHS, _flows(collective))

    # Cards that have words

    def _beneath(self, title: str, cards: Sequence[Card]) -> Iterator[Card]:
        """Put cards under a title of their own, if there are any: it is there while one is."""
        if cards:
            yield {**_heading(self._words[title], style="subtitle"), **_while_one_is(cards)}
            yield from cards

    def _tiles(
        self, entities: Ids, words: str, colour: str | None = None, **more: Any
    ) -> Iterator[Card]:
        return (_known_tile(each, colour, name=self._words[words], **more) for each in entities)

    def _powers(
        self, entities: Ids, words: str, colour: str, *, quiet: bool = False
    ) -> Iterator[Card]:
        """Show present powers. Those in `quiet` may be unavailable at night, as panels are."""
        for each in entities:
            tile = partial(_tile, each, colour, grid_options=_WIDE)
            name, night = self._words[words], self._night if quiet else []
            asleep = [_is(each, "unknown", "unavailable"), *night]
            unknown = [_is(each, "unknown"), *map(_none_of, night)]
            awake = [_none_of(_all_of(asleep))] if night else []
            yield tile(name=name, visibility=[*_if_known(each), *awake])
            measured = self._words["being_measured"].format(what=name)
            yield tile(name=measured, hide_state=True, visibility=unknown)
            if night:
                yield tile(name=self._words["no_production"], hide_state=True, visibility=asleep)

    @property
    def _night(self) -> list[Condition]:
        """The condition that it is night, where Home Assistant knows the sun."""
        return [_is(sun, "below_horizon") for sun in self._home.sun]

    def _lines(self, powers: Ids, words: str, colour: str) -> Iterator[Card]:
        """Draw powers of a day as statistics have them: histories ramp from zero."""
        entities = [
            {"entity": each, "name": self._words[words], "color": colour} for each in powers
        ]
        graph = {
            "stat_types": ["mean"],
            "chart_type": "line",
            "min_y_axis": 0,
            "hide_legend": True,
            "grid_options": {**_FULL, "rows": 3},
            **_DAY,
        }
        yield from self._statistics("day", entities, graph)

    def _rates(self, entities: Ids, words: str) -> Iterator[Card]:
        """Show percentages. A gauge would report an error for an unknown value.

        The rest of a bar has its colour, paler: one of nothing would look full, so it is grey.
        """
        bar = {"features": [{"type": "bar-gauge"}], "features_position": "inline"}
        name, beside_bar = self._words[words], self._words[f"{words}_bar"]
        for each in entities:
            positive: Condition = {"condition": "numeric_state", "entity": each, "above": 0}
            unknown, empty = _is(each, "unknown"), [_none_of(positive), *_if_known(each)]
            of_rate = partial(_tile, each, grid_options=_WIDE)
            yield of_rate(PRODUCED, name=beside_bar, **bar, visibility=[positive])
            yield of_rate(_NO_COLOUR, name=beside_bar, **bar, visibility=empty)
            reasons = {"rate_not_known_yet": [unknown, *map(_none_of, self._night)]}
            if self._night:
                reasons["rate_no_production"] = [unknown, *self._night]
            for why, when in reasons.items():
                sentence = self._words[why].format(what=name)
                yield of_rate(name=sentence, hide_state=True, visibility=when)

    def _today(self, flows: Flows, rates: Mapping[str, Ids]) -> Iterator[Card]:
        """Show energies and rates since midnight. Its card shows entities, no other statistics."""
        counted = [
            (flow, each)
            for flow, ids in flows.items()
            for each in ids
            if ":" not in each
            and not (each in self._uncounted.minutes and each in self._uncounted.hours)
        ]
        cards = [
            {
                "type": "statistic",
                "entity": each,
                "name": self._words[f"{flow}_today"],
                "icon": _ICONS[flow],
                "stat_type": "change",
                "period": {"calendar": {"period": "day"}},
                "grid_options": _WIDE if len(counted) == 1 else _HALF,
            }
            for flow, each in counted
        ]
        of_rates = [card for rate, ids in rates.items() for card in self._rates(ids, rate)]
        _, _, midnight = next(self._periods())
        since = self._since((each for _, each in counted), midnight)
        titled = [*cards, *of_rates]
        if titled:
            title = self._words["today"]
            heading = title if since is None else f"{title} · {since}"
            yield _heading(heading, style="subtitle")
            yield from titled

    def _graph(self, title: str, shown: Mapping[str, Any], flows: Flows) -> Iterator[Card]:
        """Draw energies as bars, one upon the other where they make a whole."""
        entities = [
            {"entity": each, "name": self._words[flow], "color": _COLOURS[flow]}
            for flow, ids in flows.items()
            for each in ids
        ]
        graph = {
            "stat_types": ["change"],
            "chart_type": "bar-stack" if "self_consumed" in flows else "bar",
            "grid_options": _FULL,
            **shown,
        }
        names = {each["name"]: None for each in entities}
        if len(names) == 1:
            # The legend of one would say that it is a change: so the title has its name.
            graph["hide_legend"] = True
            return self._statistics(title, entities, graph, *names)
        return self._statistics(title, entities, graph)

    def _statistics(
        self, title: str, entities: Sequence[Card], graph: Mapping[str, Any], *names: str
    ) -> Iterator[Card]:
        """Draw statistics, if there are any: the first ones come later than the entity."""
        if not entities:
            return
        card = {"type": "statistics-graph", "entities": entities, **graph}
        of_minutes = graph["period"] == "5minute"
        uncounted = self._uncounted.minutes if of_minutes else self._uncounted.hours
        if all(each["entity"] in uncounted for each in entities):
            self._waiting = True
            card = _text(self._words["minutes_to_come" if of_minutes else "hours_to_come"])
        elif (now := self._uncounted.now) is not None:
            start = now - timedelta(days=graph["days_to_show"])
            since = self._since((e["entity"] for e in entities), start, of_minutes=of_minutes)
            # Of months the first day says nothing: the axis has them.
            if since is not None and graph["period"] != "month":
                names = (*names, since)
        yield _heading(" · ".join((self._words[title], *names)), style="subtitle")
        yield card


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"


def _flows(collective: Collective) -> Flows:
    statistics = collective.statistics
    return {flow: tuple(_those(statistics, name)) for flow, name in _QUANTITIES.items()}


def _part(plant: Plant) -> Flows:
    return {} if plant.statistic is None else {"part": (plant.statistic,)}


def _those(statistics: Mapping[str, str], *keys: str) -> Iterator[str]:
    return (statistics[key] for key in keys if key in statistics)


def _section(cards: Sequence[Card], span: int) -> dict[str, Any]:
    return {"type": "grid", "column_span": span, "cards": cards}


def _heading(heading: str, icon: str | None = None, *, style: str = "title", **more: Any) -> Card:
    card = {"type": "heading", "heading": heading, "heading_style": style, **more}
    return card if icon is None else {**card, "icon": icon}


def _if_known(entity: str) -> list[Condition]:
    """Return the condition that an entity has a state."""
    return [{"condition": "state", "entity": entity, "state_not": "unknown"}]


def _while_one_is(cards: Sequence[Card]) -> Card:
    """Return the condition of a title: that of its cards, unless one is always there."""
    if not all("visibility" in card for card in cards):
        return {}
    if len(cards) == 1:
        return {"visibility": cards[0]["visibility"]}
    conditions = [_all_of(card["visibility"]) for card in cards]
    return {"visibility": [{"condition": "or", "conditions": conditions}]}


def _is(entity: str, *states: str) -> Condition:
    return {"condition": "state", "entity": entity, "state": list(states)}


def _all_of(conditions: Sequence[Condition]) -> Condition:
    return {"condition": "and", "conditions": list(conditions)}


def _none_of(*conditions: Condition) -> Condition:
    return {"condition": "not", "conditions": list(conditions)}


def _text(content: str) -> Card:
    return {"type": "markdown", "content": content, "grid_options": _FULL}


def _moment(template: str, start: str) -> Card:
    card = {**_text(template), "grid_options": _WIDE}
    return {**card, "visibility": [_none_of(_is(start, "unknown", "unavailable"))]}


def _known_tile(entity: str, colour: str | None = None, **more: Any) -> Card:
    """Show an entity once it has a state."""
    return _tile(entity, colour, **more, visibility=_if_known(entity))


def _tile(entity: str, colour: str | None = None, **more: Any) -> Card:
    """Show an entity. Its own name is in the language of the server, so a tile has another."""
    card = {"type": "tile", "entity": entity, **more}
    return card if colour is None else {**card, "color": colour}
