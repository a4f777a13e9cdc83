"""Bytes that noise altered: nothing comes out that did not come in, little that was not sent."""

from itertools import product

from hypothesis import event, given, strategies as st
import pytest

from consometers_tic import Decoder, Frame, Mode, encode, encode_frame
from packages.tic.tests.samples import FRAMES, frame, frame_bytes, group_lists

type Fact = tuple[str, str, str | None]


def facts(frames: list[Frame]) -> set[Fact]:
    return {
        (group.label.name, group.raw, group.raw_horodate)
        for each in frames
        for group in each.groups.values()
    }


def read(data: bytes, mode: Mode | None) -> set[Fact]:
    decoder = Decoder(mode)
    return facts(decoder.feed(data) + decoder.close())


FREE_TEXT = {"OPTARIF", "NGTF", "LTARF", "MSG1", "MSG2"}
"""Any printable character may stand there, so nothing but the checksum guards it."""


@pytest.mark.parametrize("name", FRAMES)
def test_a_flipped_bit_costs_one_group_and_alters_free_text_alone(name: str) -> None:
    mode, groups = FRAMES[name]
    whole = frame_bytes(mode, groups)
    sent = facts([frame(mode, groups)])
    for at, bit in product(range(len(whole)), range(7)):
        flipped = bytearray(whole)
        flipped[at] ^= 1 << bit
        accepted = read(bytes(flipped), None)
        assert len(sent - accepted) <= 1
        for label, *_ in accepted - sent:
            assert label in FREE_TEXT
            # The checksum is a sum modulo 64, which this bit does not change.
            assert bit == 6


@st.composite
def mutations(draw: st.DrawFn, data: bytes) -> bytes:
    """Return bytes altered in a few places."""
    altered = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(altered) - 1))
        kind = draw(st.sampled_from(["flip", "replace", "delete", "insert", "copy"]))
        if kind == "flip":
            altered[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "replace":
            altered[at] = draw(st.integers(0, 255))
        elif kind == "delete":
            del altered[at : at + draw(st.integers(1, 10))]
            altered = altered or bytearray(b"\0")
        elif kind == "insert":
            altered[at:at] = draw(st.binary(min_size=1, max_size=10))
        else:
            end = draw(st.integers(at, min(len(altered), at + 200)))
            altered[at:at] = altered[at:end]
    return bytes(altered)


@given(mode=st.sampled_from(Mode), knows_mode=st.booleans(), data=st.data())
def test_altered_bytes_invent_no_group(mode: Mode, knows_mode: bool, data: st.DataObject) -> None:
    groups = data.draw(group_lists(mode))
    altered = data.draw(mutations(encode_frame(groups)))
    sent = {(group.label.name, group.raw, group.raw_horodate) for group in groups}
    came = bytes(byte & 0x7F for byte in altered)
    accepted = read(altered, mode if knows_mode else None)
    for name, raw, horodate in accepted - sent:
        # A checksum of six bits did not see it: the bytes themselves are those of such a group.
        assert encode(name, raw, mode, horodate)[1:-1] in came
    event(f"not sent, yet accepted: {len(accepted - sent)}")
