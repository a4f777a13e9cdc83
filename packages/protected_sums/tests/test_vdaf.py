"""Field, XOF framing and proofs give the published test vectors of draft-irtf-cfrg-vdaf-20.

`vdaf/README.md` says where they are from.
"""

from collections.abc import Iterator
import json
from pathlib import Path
from typing import Any

import pytest

from consometers_protected_sums.errors import RootOfUnity
from consometers_protected_sums.field import MODULUS, encode
from consometers_protected_sums.flp import Circuit
from consometers_protected_sums.reports import CIRCUIT
from consometers_protected_sums.xof import expand

from .prio3 import Prio3, count, summed, turboshake128

FOLDER = Path(__file__).parent / "vdaf"
GOOD = [f"Prio3{variant}_{number}" for variant in ("Sum", "Count") for number in range(3)]
BAD = sorted(path.stem for path in FOLDER.glob("*_bad_*.json"))


def read(name: str) -> dict[str, Any]:
    vector: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return vector


def variant_of(vector: dict[str, Any]) -> Prio3:
    shares, context = vector["shares"], bytes.fromhex(vector["ctx"])
    most = vector.get("max_measurement")
    return count(shares, context) if most is None else summed(shares, context, most)


def encoded_measurement(prio3: Prio3, value: int) -> list[int]:
    """Return the bits of a value (§7.4.2); of Prio3Count, there is one."""
    bits = prio3.circuit.measured
    last = int(value >= 1 << bits - 1)
    rest = value - last * (prio3.most - (1 << bits - 1) + 1)
    return [*(rest >> bit & 1 for bit in range(bits - 1)), last]


def verified(
    prio3: Prio3, vector: dict[str, Any], report: dict[str, Any]
) -> tuple[list[list[int]], list[int], bool]:
    """Return the verifiers of a report's shares, their outputs, and whether they are accepted."""
    nonce, key = bytes.fromhex(report["nonce"]), bytes.fromhex(vector["verify_key"])
    query = prio3.circuit.query(prio3.query_randomness(key, nonce))
    shares = [
        encode(prio3.read_share(server, bytes.fromhex(encoded)))
        for server, encoded in enumerate(report["input_shares"])
    ]
    verifiers, outputs = zip(*query.ask(shares), strict=True)
    total = [sum(elements) for elements in zip(*verifiers, strict=True)]
    reduced = [[number % MODULUS for number in verifier] for verifier in verifiers]
    return reduced, [output % MODULUS for (output,) in outputs], query.decide(total)


@pytest.mark.parametrize("name", GOOD)
def test_reports_are_sharded_verified_and_summed_as_published(name: str) -> None:
    vector = read(name)
    prio3 = variant_of(vector)
    totals = [0] * prio3.shares
    for report in vector["reports"]:
        measurement = encoded_measurement(prio3, report["measurement"])
        leader = prio3.shard(measurement, bytes.fromhex(report["rand"]))
        assert encode(leader).hex() == report["input_shares"][0]
        verifiers, outputs, accepted = verified(prio3, vector, report)
        assert [encode(verifier).hex() for verifier in verifiers] == report["verifier_shares"][0]
        assert accepted
        assert [encode([output]).hex() for output in outputs] == report["out_shares"]
        totals = [(sum_ + output) % MODULUS for sum_, output in zip(totals, outputs, strict=True)]
    assert [encode([sum_]).hex() for sum_ in totals] == vector["agg_shares"]
    assert sum(totals) % MODULUS == vector["agg_result"]


def test_each_kind_of_altered_report_is_published() -> None:
    altered = {name.removeprefix("Prio3Count_bad_") for name in BAD}
    assert altered == {"gadget_poly", "helper_seed", "meas_share", "wire_seed"}


@pytest.mark.parametrize("name", BAD)
def test_altered_reports_are_refused_with_the_published_verifiers(name: str) -> None:
    vector = read(name)
    (report,) = vector["reports"]
    verifiers, _, accepted = verified(variant_of(vector), vector, report)
    assert [encode(verifier).hex() for verifier in verifiers] == report["verifier_shares"][0]
    assert not accepted


def test_bytes_of_the_xof_are_published() -> None:
    """Two elements here for one of Field128: none of these numbers is above the field's."""
    vector = read("XofTurboShake128")
    seed, tag, binder = (bytes.fromhex(vector[field]) for field in ("seed", "dst", "binder"))
    elements = expand(seed, tag, binder, 2 * vector["length"], turboshake128)
    assert elements.hex() == vector["expanded_vec_field128"]
    assert elements[: len(seed)].hex() == vector["derived_seed"]


def circuits() -> Iterator[Circuit]:
    yield count(2, b"").circuit
    yield summed(2, b"", 1337).circuit
    yield CIRCUIT


@pytest.mark.parametrize("circuit", circuits(), ids=["count", "sum", "ours"])
def test_a_query_at_a_root_of_unity_is_refused(circuit: Circuit) -> None:
    """§7.3.4: it would show a wire."""
    factors = [1] * (circuit.query_randomness - 1)
    root = pow(7, (MODULUS - 1) // circuit.order, MODULUS)
    for point in (1, root, MODULUS - 1):
        with pytest.raises(RootOfUnity, match=r"^root-of-unity$"):
            circuit.query([*factors, point])
    # One of twice the order is none of a wire's.
    circuit.query([*factors, pow(7, (MODULUS - 1) // (2 * circuit.order), MODULUS)])


def test_a_query_has_a_factor_for_each_of_many_equations() -> None:
    """§7.3: one alone needs none."""
    for circuit, factors in ((count(2, b"").circuit, 0), (summed(2, b"", 3).circuit, 2)):
        assert circuit.query_randomness == factors + 1


@pytest.mark.parametrize("more", [-1, 1])
def test_a_query_with_another_number_of_factors_is_none(more: int) -> None:
    """An equation without a factor would not be checked."""
    with pytest.raises(ValueError, match="zip"):
        CIRCUIT.query([3] * (CIRCUIT.query_randomness + more))
