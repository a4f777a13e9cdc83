"""The lamp: good from a correct frame, bad ten seconds after the last one."""

import pytest

from custom_components.consometers.tic import LINK_BAD_AFTER_S, Decoder, Lamp

from .samples import BASE, HISTORIQUE, frame, frame_bytes

CORRECT = frame(HISTORIQUE, BASE)
(BAD,) = Decoder().feed(frame_bytes(HISTORIQUE, BASE).replace(b"00690", b"00691"))
(CUT,) = Decoder().feed(frame_bytes(HISTORIQUE, BASE)[:-1] + b"\x04")


def test_the_lamp_is_bad_before_anything_came() -> None:
    assert not Lamp().is_good(0.0)


def test_one_correct_frame_makes_it_good_for_ten_seconds() -> None:
    lamp = Lamp()
    lamp.update([CORRECT], 100.0)
    assert lamp.is_good(100.0)
    assert lamp.is_good(109.9)
    assert not lamp.is_good(100.0 + LINK_BAD_AFTER_S)
    lamp.update([BAD, CORRECT], 130.0)
    assert lamp.is_good(130.0)


@pytest.mark.parametrize("frame", [BAD, CUT], ids=["wrong checksum", "cut"])
def test_other_frames_do_not_keep_it_good(frame: object) -> None:
    lamp = Lamp()
    lamp.update([CORRECT], 0.0)
    lamp.update([frame], 9.0)  # type: ignore[list-item]
    lamp.update([], 9.5)
    assert not lamp.is_good(10.0)
