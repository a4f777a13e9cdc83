"""A frame of historique mode, long and short. Sources: 54E §6.1, 02E tables 3 to 6."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from consometers_tic import Colour, Group, Mode
from consometers_tic_virtual.calendar import PEAK_NOTICE_S
from consometers_tic_virtual.contract import OPTARIF, RATES, Option

from .fields import group

if TYPE_CHECKING:
    from consometers_tic_virtual.linky import Linky

_TOMORROW = {None: "----", Colour.BLUE: "BLEU", Colour.WHITE: "BLAN", Colour.RED: "ROUG"}
# A Linky always says these.
_IMAX, _IMAX_THREE_PHASE = "090", "060"
_field = partial(group, Mode.HISTORIQUE)


def frame(linky: Linky, second: int) -> Iterator[Group]:
    """Yield the groups of the long frame that begins at that second."""
    contract = linky.contract
    period = linky.calendar.at(second)
    registers = linky.registers(second)
    drawn_va = max(0, sum(linky.measures.apparent_va(second)))

    yield _field("ADCO", linky.identity.address)
    yield _field("OPTARIF", OPTARIF[contract.option])
    yield _field("ISOUSC", f"{contract.subscribed_a:02}")
    for rate in RATES[contract.option]:
        yield _field(rate.register, f"{registers.supplier_wh[rate.index - 1]:09}")
    if contract.option is Option.EJP and any(
        peak.start - PEAK_NOTICE_S <= second for peak in period.peaks
    ):
        yield _field("PEJP", f"{PEAK_NOTICE_S // 60:02}")
    yield _field("PTEC", period.rate.ptec)
    if contract.option is Option.TEMPO:
        yield _field("DEMAIN", _TOMORROW[period.colour_tomorrow])
    yield from _currents(linky, second)
    yield _field("PAPP", f"{round(drawn_va, -1):05}")
    yield _field("HHPHC", "A")
    yield _field("MOTDETAT", "000000")
    if contract.phases > 1:
        yield _field("PPOT", "00")


def short_frame(linky: Linky, second: int) -> Iterator[Group]:
    """Yield what a three-phase meter sends while it is overloaded."""
    currents = [linky.measures.current_a(phase, second) for phase in (1, 2, 3)]
    for phase in linky.overloaded_phases(second):
        yield _field(f"ADIR{phase}", f"{currents[phase - 1]:03}")
    yield _field("ADCO", linky.identity.address)
    for phase, current in enumerate(currents, 1):
        yield _field(f"IINST{phase}", f"{current:03}")


def _currents(linky: Linky, second: int) -> Iterator[Group]:
    if linky.contract.phases == 1:
        current = linky.measures.current_a(1, second)
        yield _field("IINST", f"{current:03}")
        if current > linky.contract.subscribed_a:
            yield _field("ADPS", f"{current:03}")
        yield _field("IMAX", _IMAX)
        return
    for phase in (1, 2, 3):
        yield _field(f"IINST{phase}", f"{linky.measures.current_a(phase, second):03}")
    for phase in (1, 2, 3):
        yield _field(f"IMAX{phase}", _IMAX_THREE_PHASE)
    yield _field("PMAX", f"{linky.maxima(second)[1].drawn.power_va:05}")
