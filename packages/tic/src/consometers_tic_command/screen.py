"""A table for checking a dongle: each label as it was last sent, and how good the link is."""

from collections.abc import Callable
from time import monotonic

from rich.console import Console, Group as Rows
from rich.live import Live
from rich.table import Table
from rich.text import Text

from consometers_tic import (
    ADDRESS_LABELS,
    CATALOGUE,
    Address,
    Counters,
    Frame,
    Group,
    LinkIndicator,
)

from .show import masked, number, shown
from .trouble import Trouble
from .words import Language, meaning, say

_DRAWN_EVERY_S = 0.25
_ORDER = [name for labels in CATALOGUE.values() for name in labels]


class Screen:
    """Draws the table again and again on a terminal, and once at the end in any case."""

    def __init__(
        self, console: Console, language: Language, *, live: bool, baud: Callable[[], int | None]
    ) -> None:
        """Draw on a console. `baud` is the speed of the port, if it has one."""
        self._language = language
        self._console = console
        self._baud = baud
        self._live = Live(console=console, auto_refresh=False) if live else None
        self._ages = live
        self._groups: dict[str, tuple[Group, float]] = {}
        self._mode = ""
        self._correct = 0
        self._lamp = LinkIndicator()
        self._trouble = Trouble(monotonic())
        self._drawn_at = 0.0
        if self._live is not None:
            self._live.start()

    def show(self, frames: list[Frame], counters: Counters) -> None:
        """Take what came, and draw if it is time."""
        now = monotonic()
        self._lamp.update(frames, now)
        self._trouble.update(counters, now)
        for frame in frames:
            self._correct += frame.correct
            if frame.mode != self._mode:
                self._groups.clear()
                self._mode = frame.mode
            self._groups |= {name: (group, now) for name, group in frame.groups.items()}
        if self._live is not None and now - self._drawn_at >= _DRAWN_EVERY_S:
            self._drawn_at = now
            self._live.update(self._rows(counters, now), refresh=True)

    def end(self, counters: Counters) -> None:
        """Draw for the last time."""
        rows = self._rows(counters, monotonic())
        if self._live is None:
            self._console.print(rows)
            return
        self._live.update(rows, refresh=True)
        self._live.stop()

    def _rows(self, counters: Counters, now: float) -> Rows:
        rows: list[Text | Table] = [self._head(), self._quality(counters, now)]
        if self._ages and (key := self._trouble.key) is not None:
            rows.append(Text(say(key, self._language), style="yellow"))
        if self._groups:
            rows.append(self._table(now))
        return Rows(*rows)

    def _head(self) -> Text:
        facts = [say("meter", self._language)]
        for name in ADDRESS_LABELS.values():
            if name in self._groups:
                group, _ = self._groups[name]
                facts = [f"{facts[0]} {masked(group.raw)}", *self._who(group.value)]
        facts += [self._mode] if self._mode else []
        if (baud := self._baud()) is not None:
            facts.append(say("baud", self._language, baud=baud))
        return Text(" · ".join(facts), style="bold")

    def _who(self, address: object) -> list[str]:
        if not isinstance(address, Address):
            return []
        facts = [f"{address.maker} {address.year}"]
        if address.phases is not None:
            facts.append(say("1 phase" if address.phases == 1 else "3 phases", self._language))
        return facts

    def _quality(self, counters: Counters, now: float) -> Text:
        language = self._language
        numbers = {
            name: number(getattr(counters, name), language)
            for name in ("bytes", "frames", "groups", "resyncs")
        }
        reasons = ", ".join(
            f"{number(count, language)} {say(reason, language)}"
            for reason, count in counters.rejected.items()
            if count
        )
        quality = Text(
            say("quality", language, correct=number(self._correct, language), **numbers)
            + " · "
            + say("refused", language, reasons=reasons or say("none", language))
        )
        if self._ages:
            good = self._lamp.is_good(now)
            quality.append(" · ")
            quality.append(
                "● " + say("good" if good else "bad", language), style="green" if good else "red"
            )
        return quality

    def _table(self, now: float) -> Table:
        language = self._language
        table = Table(box=None, pad_edge=False)
        table.add_column(say("label", language), style="cyan", no_wrap=True)
        table.add_column(say("value", language), justify="right")
        table.add_column(say("meaning", language))
        if self._ages:
            table.add_column(say("age", language), justify="right", style="dim")
        for name in sorted(self._groups, key=_ORDER.index):
            group, at = self._groups[name]
            row = [name, shown(group, language), meaning(group.label, language)]
            table.add_row(*map(Text, row + ([f"{now - at:.0f} s"] if self._ages else [])))
        return table
