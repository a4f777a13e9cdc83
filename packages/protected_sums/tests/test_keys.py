"""Keys of days: each is derived from the one before it, and none from a later one."""

from datetime import timedelta

from hypothesis import given, strategies as st
import pytest

from consometers_protected_sums.errors import PastKey
from consometers_protected_sums.keys import DayKey

from .homes import TODAY

KEY = DayKey(TODAY, bytes(range(32)))


@given(st.integers(0, 400), st.integers(0, 400))
def test_keys_do_not_depend_on_the_steps_of_their_derivation(first: int, more: int) -> None:
    then = TODAY + timedelta(days=first)
    later = then + timedelta(days=more)
    assert KEY.on(then).on(later) == KEY.on(later)
    if more:
        with pytest.raises(PastKey, match=f"^past-key day={then} oldest={later}$"):
            KEY.on(later).on(then)


def test_repr_hides_the_key() -> None:
    assert "00010203" not in repr(KEY)
    assert KEY.secret.hex() not in repr(KEY)
    assert str(KEY.secret) not in repr(KEY)


def test_a_key_of_a_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^wrong-length name=key wanted=32$"):
        DayKey(TODAY, b"short")
