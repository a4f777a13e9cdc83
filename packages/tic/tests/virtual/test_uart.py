"""A port at another speed hears something, and never a frame."""

from hypothesis import given, strategies as st

from consometers_tic_virtual.port.uart import Mistuned

SPEEDS = st.sampled_from((1200, 2400, 9600, 19200))


@given(st.binary(min_size=1), SPEEDS)
def test_bytes_arrive_at_the_right_speed(data: bytes, baud: int) -> None:
    seven_bits = bytes(byte & 0x7F for byte in data)
    assert Mistuned(baud, baud).hear(data + b"\x7f") == seven_bits


@given(st.lists(st.binary()), SPEEDS, SPEEDS)
def test_reads_do_not_depend_on_the_pieces(pieces: list[bytes], sent: int, read: int) -> None:
    cut, whole = Mistuned(sent, read), Mistuned(sent, read)
    assert b"".join(cut.hear(piece) for piece in pieces) == whole.hear(b"".join(pieces))
