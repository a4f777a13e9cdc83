"""Faults do what they say."""

from random import Random

from hypothesis import given, strategies as st
import pytest

from consometers_tic_virtual import Faults
from consometers_tic_virtual.faults import LOST_BURST

SENT = bytes(n % 90 + 32 for n in range(50_000))


@given(st.binary(), st.integers())
def test_bytes_arrive_unchanged_without_faults(data: bytes, seed: int) -> None:
    assert Faults().apply(data, Random(seed)) == data


@given(st.binary(), st.integers(), st.floats(0, 1), st.floats(0, 1))
def test_losses_leave_the_other_bytes_in_order(
    data: bytes, seed: int, lost: float, bursts: float
) -> None:
    arrived = Faults(lost=lost, lost_bursts=bursts).apply(data, Random(seed))
    rest = iter(data)
    assert all(byte in rest for byte in arrived)


def test_noise_alters_about_its_share_of_bytes() -> None:
    arrived = Faults(noise=0.01).apply(SENT, Random(1))
    assert len(arrived) == len(SENT)
    altered = sum(a != b for a, b in zip(arrived, SENT, strict=True))
    # One of eight is the beginning of a burst of seven bytes or so.
    assert altered == pytest.approx(0.01 * 1.8 * len(SENT), rel=0.25)
    assert any(byte > 0x7F for byte in arrived)


def test_single_bytes_are_lost_about_at_the_given_rate() -> None:
    arrived = Faults(lost=0.02).apply(SENT, Random(1))
    assert len(SENT) - len(arrived) == pytest.approx(0.02 * len(SENT), rel=0.15)


def test_bursts_are_lost_in_one_piece() -> None:
    faults = Faults(lost_bursts=0.0001)
    lost = len(SENT) - len(faults.apply(SENT, Random(1)))
    mean = (LOST_BURST[0] + LOST_BURST[-1]) / 2
    assert lost == pytest.approx(0.0001 * len(SENT) * mean, rel=0.8)
    assert lost >= LOST_BURST[0]
