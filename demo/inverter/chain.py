"""An inverter's models in order, with its readings."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .faults import State
from .measures import Alternating, AtGrid, Cells, Direct, Readings
from .profiles import Profile
from .sunspec import Values

ENERGIES: Final = frozenset({"WH", "DCWH", "TotWhInj", "TotWhExp", "TotWhImp"})
"""Points that count energy."""

_NOMINAL_V = 230
_MAKER: Final = "Kersabiec Solaire"
_PV, _PV_AND_STORAGE = 4, 82
_LITHIUM = 4
_CONNECTED = 3
_MANUAL_SHUTDOWN, _HARDWARE = 1 << 6, 1 << 15
_EMPTY, _DISCHARGING, _CHARGING, _FULL, _HOLDING = 2, 3, 4, 5, 6
_EVENTS: Final = {State.OFF: _MANUAL_SHUTDOWN, State.FAULT: _HARDWARE}
_INVERTER_SCALES: Final = {
    "A_SF": -2,
    "V_SF": -1,
    "Hz_SF": -2,
    "PF_SF": -2,
    "WH_SF": 0,
    "DCA_SF": -2,
    "DCV_SF": -1,
    "Tmp_SF": -1,
}
_METER_SCALES: Final = {"A_SF": -2, "V_SF": -1, "Hz_SF": -2, "PF_SF": -2, "TotWh_SF": 0}
_LETTERS: Final = ("A", "B", "C")
_LINES: Final = ("AB", "BC", "CA")


@dataclass(frozen=True, slots=True)
class Block:
    """The contents of a model: its points, and those of its modules."""

    model_id: int
    values: Values
    modules: tuple[Values, ...] = ()


def blocks(profile: Profile, serial: str, readings: Readings) -> Iterator[Block]:
    """Yield the models in the order of the map, without marker and end."""
    yield _common("K3" if profile.phases == 3 else "K1", serial)
    if profile.inverter_model == 701:
        yield Block(701, _der_measures(profile, readings))
        yield Block(702, _der_capacity(profile))
    else:
        yield Block(profile.inverter_model, _inverter(profile, readings))
        yield Block(120, _nameplate(profile))
        yield Block(121, _settings(profile))
    yield _strings(profile, readings)
    if readings.cells is not None:
        yield Block(802, _battery(readings.cells))
    if profile.meter_model is not None and readings.grid is not None:
        yield _common("KM", f"{serial}M")
        meter = _meter(profile, profile.meter_model, readings, readings.grid)
        yield Block(profile.meter_model, meter)


def _common(model: str, serial: str) -> Block:
    return Block(1, {"Mn": _MAKER, "Md": model, "Vr": "1.4.2", "SN": serial, "DA": 1})


def _inverter(profile: Profile, readings: Readings) -> Values:
    power = readings.power
    scales = _INVERTER_SCALES | dict.fromkeys(
        ("W_SF", "VA_SF", "VAr_SF", "DCW_SF"), profile.power_exponent
    )
    values: dict[str, float | None] = {
        "A": sum(power.legs_a),
        "W": power.power_w,
        "VA": power.apparent_va,
        "VAr": power.reactive_var,
        "PF": 100 * power.cos_phi,
        "Hz": readings.hz,
        "WH": readings.energy_wh,
        "DCW": readings.dc_w,
        "TmpCab": readings.cabinet_c,
        "St": readings.state,
        "Evt1": _EVENTS.get(readings.state, 0),
        "Evt2": 0,
        **_by_leg("Aph", power.legs_a),
        **_by_leg("PhVph", power.legs_v),
        **_between_legs("PPVph", power),
    }
    if len(readings.strings) == 1:
        (string,) = readings.strings
        values |= {"DCA": string.current_a, "DCV": string.voltage_v}
    return values | (scales if profile.inverter_model < 111 else {})


def _nameplate(profile: Profile) -> Values:
    va, exponent = profile.rating_va, profile.power_exponent
    reactive, cos_phi = 0.6 * va, 0.8
    values: dict[str, float | None] = {
        "DERTyp": _PV if profile.battery is None else _PV_AND_STORAGE,
        "WRtg": va,
        "VARtg": va,
        "ARtg": va / _NOMINAL_V / profile.phases,
        "WRtg_SF": exponent,
        "VARtg_SF": exponent,
        "VArRtg_SF": exponent,
        "ARtg_SF": -1,
        "PFRtg_SF": -2,
    }
    for quadrant, sign in enumerate((1, 1, -1, -1), 1):
        values[f"VArRtgQ{quadrant}"] = sign * reactive
        values[f"PFRtgQ{quadrant}"] = sign * cos_phi
    if profile.battery is not None:
        power_w = profile.battery.power_w
        values |= {"WHRtg": profile.battery.capacity_wh, "WHRtg_SF": 0}
        values |= {"MaxChaRte": power_w, "MaxChaRte_SF": 0}
        values |= {"MaxDisChaRte": power_w, "MaxDisChaRte_SF": 0}
    return values


def _settings(profile: Profile) -> Values:
    exponent = profile.power_exponent
    return {
        "WMax": profile.rating_va,
        "VRef": _NOMINAL_V,
        "VRefOfs": 0,
        "VAMax": profile.rating_va,
        "ECPNomHz": 50,
        "WMax_SF": exponent,
        "VRef_SF": 0,
        "VRefOfs_SF": 0,
        "VAMax_SF": exponent,
        "ECPNomHz_SF": -2,
    }


def _strings(profile: Profile, readings: Readings) -> Block:
    values: Values = {
        "DCA_SF": -2,
        "DCV_SF": -1,
        "DCW_SF": 0,
        "DCWH_SF": 0,
        "Evt": 0,
        "N": len(readings.strings),
    }
    return Block(
        160,
        values,
        tuple(
            _string(number, string, readings.state)
            for number, string in enumerate(readings.strings, 1)
        ),
    )


def _string(number: int, string: Direct, state: State) -> Values:
    return {
        "ID": number,
        "IDStr": string.name,
        "DCA": string.current_a,
        "DCV": string.voltage_v,
        "DCW": string.power_w,
        "DCWH": string.energy_wh,
        "DCSt": state,
        "DCEvt": 0,
    }


def _meter(profile: Profile, model_id: int, readings: Readings, grid: AtGrid) -> Values:
    power, sign = grid.power, profile.meter_sign
    delta = model_id in (204, 214)
    integer = model_id < 211
    scales = _METER_SCALES | dict.fromkeys(("W_SF", "VA_SF", "VAR_SF"), profile.power_exponent)
    values: dict[str, float | None] = {
        "A": sign * sum(power.legs_a),
        "W": sign * power.power_w,
        "VA": abs(power.apparent_va),
        "VAR": power.reactive_var,
        "PF": (100 if integer else 1) * power.cos_phi,
        "Hz": readings.hz,
        "TotWhExp": grid.injected_wh,
        "TotWhImp": grid.drawn_wh,
        "Evt": 0,
        **_by_leg("Aph", tuple(sign * a for a in power.legs_a)),
    }
    # A delta meter has no neutral, so it measures nothing against one.
    if not delta:
        values["PhV"] = sum(power.legs_v) / len(power.legs_v)
        values |= _by_leg("PhVph", power.legs_v)
        values |= _by_leg("Wph", tuple(sign * w for w in power.legs_w))
        values |= _by_leg("VAph", tuple(abs(va) for va in power.legs_va))
    if len(power.legs_v) > 1:
        values["PPV"] = sum(power.line_v) / len(power.line_v)
        values |= _between_legs("PhVph" if integer else "PPVph", power)
    return values | (scales if integer else {})


def _der_measures(profile: Profile, readings: Readings) -> Values:
    power = readings.power
    exponent = profile.power_exponent
    values: dict[str, float | None] = {
        "ACType": {1: 0, 2: 1, 3: 2}[len(power.legs_w)],
        "St": int(readings.state not in (State.OFF, State.SLEEPING)),
        # The 2018 models count the same states from zero.
        "InvSt": readings.state - 1,
        "ConnSt": int(readings.state not in (State.OFF, State.FAULT)),
        "Alrm": _EVENTS.get(readings.state, 0),
        "DERMode": 1,
        "W": power.power_w,
        "VA": power.apparent_va,
        "Var": power.reactive_var,
        "PF": power.cos_phi,
        "A": sum(power.legs_a),
        "LNV": sum(power.legs_v) / len(power.legs_v),
        "Hz": readings.hz,
        "TotWhInj": readings.energy_wh,
        "TotWhAbs": 0,
        "TmpCab": readings.cabinet_c,
        "A_SF": -2,
        "V_SF": -1,
        "Hz_SF": -3,
        "W_SF": exponent,
        "VA_SF": exponent,
        "Var_SF": exponent,
        "PF_SF": -3,
        "TotWh_SF": 0,
        "Tmp_SF": -1,
    }
    legs = zip(power.legs_w, power.legs_va, power.legs_var, power.legs_a, power.legs_v, strict=True)
    for leg, (w, va, var, a, v) in enumerate(legs, 1):
        values |= {f"WL{leg}": w, f"VAL{leg}": va, f"VarL{leg}": var, f"AL{leg}": a, f"VL{leg}": v}
        values[f"PFL{leg}"] = power.cos_phi
    if len(power.legs_v) == 3:
        values["LLV"] = sum(power.line_v) / 3
        values |= dict(zip(("VL1L2", "VL2L3", "VL3L1"), power.line_v, strict=True))
    return values


def _der_capacity(profile: Profile) -> Values:
    va, exponent = profile.rating_va, profile.power_exponent
    nominal_v = _NOMINAL_V if profile.phases == 1 else 400
    return {
        "WMaxRtg": va,
        "VAMaxRtg": va,
        "VNomRtg": nominal_v,
        "AMaxRtg": va / _NOMINAL_V / profile.phases,
        "WMax": va,
        "VAMax": va,
        "VNom": nominal_v,
        "W_SF": exponent,
        "VA_SF": exponent,
        "V_SF": 0,
        "A_SF": -1,
    }


def _battery(cells: Cells) -> Values:
    percent = 100 * cells.stored_wh / cells.capacity_wh
    volts = 48 + 5 * percent / 100
    return {
        "AHRtg": cells.capacity_wh / 51.2,
        "WHRtg": cells.capacity_wh,
        "WChaRteMax": cells.rating_w,
        "WDisChaRteMax": cells.rating_w,
        "SoCMax": 100,
        "SoCMin": 0,
        "SoC": percent,
        "SoH": 97,
        "ChaSt": _charge_status(cells),
        "LocRemCtl": 1,
        "AlmRst": 0,
        "Typ": _LITHIUM,
        "State": _CONNECTED,
        **dict.fromkeys(("Evt1", "Evt2", "EvtVnd1", "EvtVnd2"), 0),
        "V": volts,
        "A": cells.power_w / volts,
        "W": cells.power_w,
        "SetOp": 1,
        "SetInvState": 3,
        "AHRtg_SF": -1,
        "WHRtg_SF": 0,
        "WChaDisChaMax_SF": 0,
        "SoC_SF": -1,
        "SoH_SF": 0,
        "V_SF": -2,
        "A_SF": -1,
        "W_SF": 0,
    }


def _charge_status(cells: Cells) -> int:
    if cells.power_w:
        return _DISCHARGING if cells.power_w > 0 else _CHARGING
    if cells.stored_wh == 0:
        return _EMPTY
    return _FULL if cells.stored_wh == cells.capacity_wh else _HOLDING


def _by_leg(prefix: str, values: tuple[float, ...]) -> dict[str, float | None]:
    return {f"{prefix}{letter}": value for letter, value in zip(_LETTERS, values, strict=False)}


def _between_legs(prefix: str, power: Alternating) -> dict[str, float | None]:
    if len(power.legs_v) == 1:
        return {}
    return {f"{prefix}{line}": v for line, v in zip(_LINES, power.line_v, strict=False)}
