"""script/bench attackers: what liars learn of the largest home of a cell, and what is hidden.

For a month of nights, homes draw the same each hour. Members of their cell send what they like, and
see whether `collective.disclosure.closing` lets it pass. They know the rules, all but the secret,
how much homes draw in general, and compute by Bayes' theorem what they saw. An honest member knows
as much, and the published sum. Beside the parameter of the p % rule as it is, others are tried.

Then the hours of a year of 40 and of 200 homes of the demo's world are closed.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from statistics import median

import numpy as np
from numpy.typing import NDArray

from consometers_node.collective.disclosure.closing import Parameter, close, combine_small
from consometers_node.collective.disclosure.confidential import ConfidentialParameter, magnitude
from consometers_node.collective.disclosure.sdc_rules import DEFAULT_MINIMUM, P_PERCENT, Cell
from consometers_node.series import Direction
from consometers_protected_sums.keyed_draw import SECRET_BYTES, keyed_draw
from consometers_tic_virtual.world.site import HOUSEHOLD
from demo.world.hourly import hours

HONEST_PERCENT = 4.6
"""What a liar alone may not beat, nor an honest member there: a median error."""
COLLUDING_PERCENT = 3.0
"""What a liar with two colluders may not beat."""
MOST_HIDDEN = {"hours": 0.05, "energy": 0.005}
REACHES_W = 12_000, 36_000
"""What a member is believed without a meter that says its contract, and with the largest one."""
NIGHTS, NIGHT_HOURS = 30, 8

type Floats = NDArray[np.float64]
type Draw = Callable[[np.random.Generator, int], Floats]
type LastingKey = tuple[int, int]
"""The liar that is the largest, and the magnitude of what it sent."""
type Rule = Callable[[bytes, date, int], Parameter[int]]
"""Returns the parameter of a secret, a day and an hour."""

_WATT = 60
"""Watt-minutes of 1 W over an hour."""
_ALIKE = 100
"""The least number of cells that an attacker compares with."""
_LEAST, _SPREAD = P_PERCENT[0] / 100, (P_PERCENT[-1] - P_PERCENT[0]) / 100
_FIRST = date(2027, 1, 1)
_PINNED = 0.1
_COMMUNE = 1
_POPULATION = 200_000
_NEAR = 0.01
"""Cells whose sum differs by no more are alike, to somebody who knows the sum."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """A way to draw the parameter, and how an attacker models it.

    `lasting` is the part of the spread that lasts for a month; the rest is drawn for so many
    `hours`. `by_pair`: the first also differs by the two largest homes, and both by the magnitude
    of the largest. `steps` are how finely the attacker looks at the two parts, and at the homes.
    """

    name: str
    rule: Rule
    lasting: float
    hours: int
    steps: tuple[int, int, int]
    by_pair: bool = False
    is_known: bool = False

    @property
    def is_calibrated(self) -> bool:
        """Whether a parameter of two liars says something of that of a liar and another home."""
        return not self.by_pair and not self.is_known

    def lasting_key(self, liar: int, watts: float) -> LastingKey:
        """Return by what the lasting part differs where a liar is the largest."""
        return (liar, magnitude(round(watts) * _WATT)) if self.by_pair else (0, 0)


def _by_month(secret: bytes, day: date, hour: int) -> Parameter[int]:
    drawn = keyed_draw(secret, 1_200, "month", f"{day:%Y-%m}")
    return lambda _groups, _cell: 1_800 + drawn


def _by_cell(secret: bytes, day: date, hour: int) -> Parameter[int]:
    drawn = keyed_draw(secret, 1_200, "cell", f"{day}", [hour])
    return lambda _groups, _cell: 1_800 + drawn


def _by_both(secret: bytes, day: date, hour: int) -> Parameter[int]:
    drawn = keyed_draw(secret, 600, "month", f"{day:%Y-%m}")
    drawn += keyed_draw(secret, 600, "cell", f"{day}", [hour])
    return lambda _groups, _cell: 1_800 + drawn


def _as_it_is(secret: bytes, day: date, hour: int) -> Parameter[int]:
    return ConfidentialParameter(secret, Direction.CONSUMPTION, day)


def _known(secret: bytes, day: date, hour: int) -> Parameter[int]:
    return lambda _groups, _cell: 1_800


AS_IT_IS = Scheme(
    "by pair and month, and by day", _as_it_is, 0.75, NIGHT_HOURS, (24, 10, 64), by_pair=True
)
BY_MONTH = Scheme("by month", _by_month, 1.0, 1, (128, 1, 64))
KNOWN = Scheme("18 %, known", _known, 0.0, 1, (1, 1, 1_000), is_known=True)
SCHEMES = (
    KNOWN,
    BY_MONTH,
    Scheme("by cell", _by_cell, 0.0, 1, (1, 64, 64)),
    Scheme("by month, and by cell", _by_both, 0.5, 1, (14, 14, 48)),
    AS_IT_IS,
)


def _alike(random: np.random.Generator, cells: int, homes: int) -> Floats:
    return random.uniform(100, 1_500, (cells, homes))


def _mixed(random: np.random.Generator, cells: int, homes: int) -> Floats:
    heated = random.lognormal(np.log(1_500), 0.45, (cells, homes))
    others = random.lognormal(np.log(220), 0.5, (cells, homes))
    return np.where(random.random((cells, homes)) < 1 / 3, heated, others)


def _one_heats(random: np.random.Generator, cells: int, homes: int) -> Floats:
    drawn = random.lognormal(np.log(220), 0.5, (cells, homes))
    drawn[:, 0] = random.uniform(1_500, 5_000, cells)
    return drawn


STREETS: Mapping[str, Callable[[np.random.Generator, int, int], Floats]] = {
    "all heat": _alike,
    "a third heats": _mixed,
    "one heats": _one_heats,
}


_HIDING = "all heat", "a third heats"
"""Where no home draws most of what its cell does: there its neighbours hide it."""


@dataclass(frozen=True, slots=True)
class Attack:
    """Members that lie together in a cell with some honest homes, and what they are believed."""

    liars: int
    honest: int
    reach_w: int


@dataclass(frozen=True, slots=True)
class Errors:
    """How far estimates of the largest home are from it, as a share of it: one for each cell."""

    honest: Sequence[float]
    attack: Sequence[float]


class Attackers:
    """What liars know of the homes of a cell that are honest, and find by lying.

    All is in W. Of the homes they know the sum, and how likely each sum of those beside the largest
    is: what hides the largest from a liar that is larger than it.
    """

    def __init__(
        self,
        random: np.random.Generator,
        scheme: Scheme,
        attack: Attack,
        total: int,
        sums: Floats,
    ) -> None:
        """Attack homes with a total; `sums` are those beside the largest of cells like this."""
        lasting, drawn, places = scheme.steps
        self._random = random
        self._scheme = scheme
        self._attack = attack
        self._total = total
        self.beside = np.quantile(sums, (np.arange(places) + 0.5) / places)
        spread = 0.0 if scheme.is_known else _SPREAD
        longer, step = _places(spread * scheme.lasting, lasting)
        self._lasting = _LEAST + longer
        self._drawn, step_drawn = _places(spread * (1 - scheme.lasting), drawn)
        self._blur = max(step + step_drawn, 1e-6)
        """By how much a parameter may differ from the nearest of those that are looked at."""
        self._shape = places, lasting, drawn
        self._known: dict[LastingKey, Floats] = {}
        """How likely it is by sum of homes and lasting part, as a logarithm, to the last draw."""
        self._now: dict[LastingKey, Floats] = {}
        """How likely it is by the drawn part too, since then."""
        self._believed: dict[LastingKey, Floats] = {}
        self._beliefs = np.zeros(places)
        """How likely each sum of homes is, as a logarithm; and what of it is from each key."""
        largest = total - self.beside
        self._least = float(np.quantile(largest, 0.05))
        self._most = float(largest.max())

    def estimate(self) -> float:
        """Return the median of the largest home, after all that was seen."""
        weights = _weights(self._beliefs)
        below = (np.cumsum(weights) - weights / 2) / weights.sum()
        return self._total - float(np.interp(0.5, below, self.beside))

    def choose(self, liar: int, *, calibrates: bool) -> list[float]:
        """Return what each liar sends: the first is the `liar`'s, which is the largest.

        Of those that calibrate, one is the second; otherwise an honest home is.
        """
        others = self._attack.liars - 1
        place = self._sample(_weights(self._beliefs))
        if calibrates:
            low = [1.02 * self._most, *[1.0] * (others - 1)]
            hidden = float(self._total + others - 1)
        else:
            # What they add moves the threshold by as much as they know.
            low = [self._random.uniform(1.0, 0.95 * self._least)] * others
            hidden = float(self.beside[place]) + sum(low)
        least = 1.05 * max(self._most, *low, 1.0)
        value = hidden / (_LEAST + _SPREAD * self._random.random())
        # What it is has an effect on its own parameter.
        for _ in range(2):
            logarithms = self._likelihood(self._scheme.lasting_key(liar, value))
            weights = _weights(logarithms.max(axis=0) if calibrates else logarithms[place])
            p = self._lasting[self._sample(weights)] + self._random.choice(self._drawn)
            value = min(max(hidden / p, least), self._attack.reach_w)
        return [value, *low]

    def see(self, liar: int, values: Sequence[float], *, passes: bool, calibrates: bool) -> None:
        """Note whether a cell with these values of theirs passed; the first is the `liar`'s."""
        hidden = self._total + sum(values[2:]) if calibrates else self.beside + sum(values[1:])
        share = np.atleast_1d(hidden / values[0])[:, None, None]
        p = self._lasting[None, :, None] + self._drawn[None, None, :]
        likely = np.clip((share - p) / self._blur + 0.5, 1e-4, 1 - 1e-4)
        key = self._scheme.lasting_key(liar, values[0])
        before = self._now.get(key, np.ones(self._shape))
        self._now[key] = before * (likely if passes else 1 - likely)
        self._believe(key)

    def end_draw(self) -> None:
        """Note that another part of the parameter is drawn from here on."""
        self._known |= {key: self._likelihood(key) for key in self._now}
        self._now.clear()

    def _likelihood(self, key: LastingKey) -> Floats:
        """Return how likely all that was seen with a key is, by sum of homes and lasting part."""
        weights = self._known.get(key, np.zeros(self._shape[:2]))
        return weights + np.log(self._now[key].mean(axis=2)) if key in self._now else weights

    def _believe(self, key: LastingKey) -> None:
        """Note how likely each sum is, by what was seen with a key."""
        likelihood = self._likelihood(key)
        most = likelihood.max(axis=1, keepdims=True)
        new = np.log(np.exp(likelihood - most).mean(axis=1)) + most[:, 0]
        self._beliefs += new - self._believed.get(key, 0.0)
        self._believed[key] = new

    def _sample(self, weights: Floats) -> int:
        return int(np.searchsorted(np.cumsum(weights), self._random.random() * weights.sum()))


def attacked(
    scheme: Scheme, street: str, attack: Attack, cells: int, *, nights: int = NIGHTS, seed: int = 1
) -> Errors:
    """Attack as many cells that pass without lies, by the code that closes intervals."""
    random = np.random.default_rng(seed)
    sums, beside = _street(street, attack.honest)
    honest, errors = list[float](), list[float]()
    while len(errors) < cells:
        homes = [round(float(watts)) for watts in STREETS[street](random, 1, attack.honest)[0]]
        total, largest = sum(homes), max(homes)
        is_alike = np.abs(sums / total - 1) < _NEAR
        scaled = beside[is_alike] * (total / sums[is_alike])
        commune = _Commune(scheme, random.bytes(SECRET_BYTES), homes)
        usual = [median(homes)] * attack.liars
        if len(scaled) < _ALIKE or not commune.is_published(usual):
            continue
        honest.append(abs(total - float(np.median(scaled)) - largest) / largest)
        attackers = Attackers(random, scheme, attack, total, scaled)
        for night in range(nights):
            liar = night % attack.liars
            calibrates = attack.liars > 1 and scheme.is_calibrated and bool(night % 2)
            for hour in range(NIGHT_HOURS):
                values = attackers.choose(liar, calibrates=calibrates)
                passes = commune.is_published(values, liar=liar, night=night, hour=hour)
                attackers.see(liar, values, passes=passes, calibrates=calibrates)
                if not (hour + 1) % scheme.hours:
                    attackers.end_draw()
        errors.append(abs(attackers.estimate() - largest) / largest)
    return Errors(honest, errors)


@dataclass(frozen=True, slots=True)
class _Commune:
    """Homes that draw the same each hour, and the code that closes hours."""

    scheme: Scheme
    secret: bytes
    homes: Sequence[int]

    def is_published(
        self, values: Sequence[float], *, liar: int = 0, night: int = 0, hour: int = 0
    ) -> bool:
        """Return whether they are published with liars; the `liar` sent the first of `values`."""
        parts = [_WATT * watts for watts in (*self.homes, *map(round, values))]
        honest, liars = len(self.homes), len(values)
        names = [*range(1, honest + 1), *(honest + 1 + (liar + n) % liars for n in range(liars))]
        cells = {_COMMUNE: Cell.of(parts, names)}
        together = combine_small({_COMMUNE: len(parts)}, DEFAULT_MINIMUM)
        parameter = self.scheme.rule(self.secret, _FIRST + timedelta(days=night), hour)
        return bool(close(cells, together, DEFAULT_MINIMUM, parameter)[0])


@cache
def _street(street: str, homes: int) -> tuple[Floats, Floats]:
    """Return the sums of many cells of a street, and what is in them beside the largest home."""
    drawn = STREETS[street](np.random.default_rng(0), _POPULATION, homes)
    sums = drawn.sum(axis=1)
    return sums, sums - drawn.max(axis=1)


def _places(spread: float, count: int) -> tuple[Floats, float]:
    """Return numbers that stand for a part of the parameter, and how far they are apart."""
    step = spread / count
    places: Floats = (np.arange(count, dtype=np.float64) + 0.5) * step
    return places, step


def _weights(logarithms: Floats) -> Floats:
    weights: Floats = np.exp(logarithms - logarithms.max())
    return weights


@dataclass(slots=True)
class Hidden:
    """How many hours, and how much energy, are published and hidden."""

    hours: int = 0
    hidden_hours: int = 0
    watts: int = 0
    hidden_watts: int = 0

    def add(self, cell: Cell, *, is_published: bool) -> None:
        self.hours += 1
        self.watts += cell.watt_minutes
        if not is_published:
            self.hidden_hours += 1
            self.hidden_watts += cell.watt_minutes

    @property
    def shares(self) -> Mapping[str, float]:
        return {
            "hours": self.hidden_hours / self.hours,
            "energy": self.hidden_watts / max(self.watts, 1),
        }


def hidden(homes: int, communes: int, days: Sequence[date]) -> Iterator[tuple[Direction, Hidden]]:
    """Yield what is hidden of each direction, of homes of the demo's world in some communes.

    Two of five have panels, and their sizes differ fourfold.
    """
    random = np.random.default_rng(homes)
    sizes = random.lognormal(0, 0.35, homes)
    peaks = np.where(random.random(homes) < 2 / 5, random.choice([3.0, 4.5, 6.0, 9.0], homes), 0)
    counts = {
        direction: {
            commune: sum(
                1
                for home in range(homes)
                if home % communes == commune and (peaks[home] or not number)
            )
            for commune in range(communes)
        }
        for number, direction in enumerate(Direction)
    }
    suppressed = {direction: Hidden() for direction in Direction}
    secret = random.bytes(SECRET_BYTES)
    for day in days:
        first = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) // 3_600
        drawn = [
            list(hours(HOUSEHOLD, float(kwp / size), 100 + home, first, first + 24))
            for home, (size, kwp) in enumerate(zip(sizes, peaks, strict=True))
        ]
        for direction, what in zip(Direction, ("drawn_wh", "injected_wh", "made_wh"), strict=True):
            parameter = ConfidentialParameter(secret, direction, day)
            together = combine_small(counts[direction], DEFAULT_MINIMUM)
            for hour in range(24):
                parts: dict[int, dict[int, int]] = {commune: {} for commune in range(communes)}
                for home, size in enumerate(sizes):
                    if peaks[home] or direction is Direction.CONSUMPTION:
                        watts = round(float(size * getattr(drawn[home][hour], what)))
                        parts[home % communes][home + 1] = watts
                cells = {
                    commune: Cell.of(list(some.values()), list(some))
                    for commune, some in parts.items()
                }
                passed, _ = close(cells, together, DEFAULT_MINIMUM, parameter)
                whole = sum(cells.values(), Cell())
                suppressed[direction].add(whole, is_published=bool(passed))
    yield from suppressed.items()


def main(arguments: list[str]) -> int:
    """Print the figures; 1 if an attacker learns too much, or too much is hidden."""
    parser = argparse.ArgumentParser(prog="script/bench attackers", description=__doc__)
    parser.add_argument("--cells", type=int, default=60, help="attacked in each way")
    parser.add_argument("--days", type=int, default=52, help="of a year, whose hours are closed")
    options = parser.parse_args(arguments)
    is_good = _print_attacks(options.cells)
    year = date(2026, 1, 1)
    days = [year + timedelta(days=n * 365 // options.days) for n in range(options.days)]
    for homes, communes in ((40, 2), (200, 8)):
        for direction, count in hidden(homes, communes, days):
            shares = count.shares
            print(
                f"{homes} homes in {communes} communes, {direction}: hidden"
                f" {shares['hours']:.2%} of hours, {shares['energy']:.3%} of energy",
                flush=True,
            )
            is_good &= all(shares[what] <= most for what, most in MOST_HIDDEN.items())
    return 0 if is_good else 1


def _print_attacks(cells: int) -> bool:
    is_good = True
    ways = [(KNOWN, REACHES_W[0]), (AS_IT_IS, REACHES_W[0])]
    ways += [(scheme, REACHES_W[-1]) for scheme in SCHEMES]
    for street in STREETS:
        for scheme, reach in ways:
            is_good &= _print_attack(scheme, street, reach, cells)
    return is_good


def _print_attack(scheme: Scheme, street: str, reach: int, cells: int) -> bool:
    alone = attacked(scheme, street, Attack(1, 9, reach), cells)
    three = attacked(scheme, street, Attack(3, 9, reach), cells)
    eight = attacked(scheme, street, Attack(8, 2, reach), cells)
    honest, liar, colluding = (
        100 * median(errors) for errors in (alone.honest, alone.attack, three.attack)
    )
    pinned = sum(error <= _PINNED for error in eight.attack)
    print(
        f"{street}, liars up to {reach / 1_000:.0f} kW, {scheme.name}: honest {honest:.1f} %,"
        f" a liar {liar:.1f} %, with two colluders {colluding:.1f} %, eight of ten within"
        f" {_PINNED:.0%} in {pinned} of {cells}",
        flush=True,
    )
    if scheme is not AS_IT_IS or reach != REACHES_W[0] or street not in _HIDING:
        return True
    return liar >= min(HONEST_PERCENT, honest) and colluding >= COLLUDING_PERCENT
