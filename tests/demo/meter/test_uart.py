"""A port at another speed hears something, and never a frame."""

from hypothesis import given, strategies as st
import pytest

from custom_components.consometers.tic import Decoder, Mode, encode_frame
from demo.meter.uart import Mistuned

from .meters import NOON, linky, unix

SPEEDS = st.sampled_from((1200, 2400, 9600, 19200))


@given(st.binary(min_size=1), SPEEDS)
def test_at_the_right_speed_all_but_what_still_comes_is_heard(data: bytes, baud: int) -> None:
    seven_bits = bytes(byte & 0x7F for byte in data)
    assert Mistuned(baud, baud).hear(data + b"\x7f") == seven_bits


@given(st.lists(st.binary()), SPEEDS, SPEEDS)
def test_it_does_not_matter_how_the_bytes_are_cut(
    pieces: list[bytes], sent: int, read: int
) -> None:
    one, other = Mistuned(sent, read), Mistuned(sent, read)
    assert b"".join(one.hear(piece) for piece in pieces) == other.hear(b"".join(pieces))


@pytest.mark.parametrize(
    ("mode", "sent", "read"), [(Mode.HISTORIQUE, 1200, 9600), (Mode.STANDARD, 9600, 1200)]
)
def test_frames_at_the_wrong_speed_are_noise(mode: Mode, sent: int, read: int) -> None:
    data = b"".join(encode_frame(linky(mode).frame(unix(NOON) + n)) for n in range(6))
    heard = Mistuned(sent, read).hear(data)
    assert len(heard) > 0.5 * len(data) * min(1, read / sent)
    decoder = Decoder()
    decoder.feed(heard)
    assert decoder.counters.groups == 0
