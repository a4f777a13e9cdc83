"""Heads of a witness: who made one, what it is of, and which ones a home remembers."""

from hashlib import sha256
import hmac

from consometers_protected_sums.heads import HEAD_BYTES, Head, chained, newest

SECRET = bytes(range(32))
CHAIN = bytes(range(32, 64))
HEAD = Head.of(SECRET, 41, CHAIN)


def made(epoch: int, number: int) -> bytes:
    return Head.of(bytes([epoch]) * 32, number, bytes(32)).packed()


def test_a_head_has_epoch_number_and_chain_with_their_mac() -> None:
    epoch = hmac.digest(SECRET, b"epoch", "sha256")[:8]
    signed = epoch + (41).to_bytes(8) + CHAIN
    mac = hmac.digest(SECRET, b"head" + signed, "sha256")
    assert HEAD.packed() == signed + mac
    assert len(HEAD.packed()) == HEAD_BYTES
    assert Head.read(HEAD.packed()) == HEAD == (epoch, 41, CHAIN, mac)


def test_a_head_is_authentic_to_the_witness_that_made_it_alone() -> None:
    assert HEAD.is_authentic(SECRET)
    assert not HEAD.is_authentic(bytes(32))


def test_a_head_with_another_byte_is_not_authentic() -> None:
    """Also of its epoch, by which a home decides which of two heads is the newer one."""
    for place in range(HEAD_BYTES):
        altered = bytearray(HEAD.packed())
        altered[place] ^= 1
        assert not Head.read(bytes(altered)).is_authentic(SECRET), place


def test_a_chain_is_hashed_over_all_answers_in_their_order() -> None:
    first, second = bytes([1]) * 32, bytes([2]) * 32
    chain = chained(chained(CHAIN, first), second)
    assert chain == sha256(sha256(CHAIN + first).digest() + second).digest()


def test_a_home_remembers_the_newest_head_of_an_epoch() -> None:
    for numbers in ((1, 2, 0), (2, 1), (0, 2)):
        assert newest(made(0, number) for number in numbers) == (made(0, 2),)


def test_a_home_remembers_the_first_of_two_heads_of_one_number() -> None:
    """A witness that was set back answers again as often: the first one shows it."""
    forked = Head.of(bytes(32), 2, CHAIN).packed()
    assert newest([made(0, 2), forked]) == (made(0, 2),)


def test_a_home_remembers_the_last_four_epochs() -> None:
    heads = newest(())
    assert heads == ()
    for epoch in (0, 1, 2, 3, 0, 4):
        heads = newest((*heads, made(epoch, 1)))
    assert heads == (made(2, 1), made(3, 1), made(0, 1), made(4, 1))
