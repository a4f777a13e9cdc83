"""Decoders of foreign bytes, behind one function."""

from collections.abc import Callable


class Undecodable(ValueError):
    """A decoder failed on a peer's bytes. The message names its error, and nothing of the bytes."""


def decoded[**P, T](decoder: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what a decoder makes of a peer's bytes. Raises `Undecodable`, and nothing else.

    ZIP, deflate, base64, JSON and dates fail in more ways than they document: `zlib.error`,
    `struct.error`, `RecursionError`, `MemoryError`.
    """
    try:
        return decoder(*args, **kwargs)
    except Exception as fault:  # noqa: BLE001
        raise Undecodable(type(fault).__name__) from None
