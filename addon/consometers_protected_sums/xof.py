"""Elements of Field64 from a seed, by an extendable output function. Pure.

The framing is that of `XofTurboShake128` (draft-irtf-cfrg-vdaf-20 §6.2.1), over SHAKE128, which
Python's hashlib has.
"""

from collections.abc import Callable
import hashlib

from .field import ELEMENT_BYTES, MODULUS, are_elements, encode, numbers

type Xof = Callable[[bytes, int], bytes]
"""A function of a message and a length; a longer output begins with the shorter one."""


def shake128(message: bytes, length: int) -> bytes:
    """Return the first bytes of SHAKE128 (FIPS 202)."""
    return hashlib.shake_128(message).digest(length)


def expand(seed: bytes, domain: bytes, binder: bytes, count: int, xof: Xof) -> bytes:
    """Return as many encoded elements, uniform to all who lack the seed, of at most 255 bytes.

    Of each 8 bytes, a number above the field's is left out: one in 2**32.
    """
    message = b"".join(
        (len(domain).to_bytes(2, "little"), domain, len(seed).to_bytes(1), seed, binder)
    )
    drawn = count
    while True:
        stream = xof(message, drawn * ELEMENT_BYTES)
        if are_elements(stream):
            return stream
        elements = [number for number in numbers(drawn).unpack(stream) if number < MODULUS]
        if len(elements) == count:
            return encode(elements)
        drawn += count - len(elements)
