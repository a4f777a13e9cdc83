"""Invitations, as people paste them."""

import pytest

from consometers_quoalise_network import Join, Register, links
from consometers_quoalise_network.errors import NotALink
from testing.sentences import says


@pytest.mark.parametrize(
    ("link", "read"),
    [
        (
            "xmpp:collective@example.org?consometers-join;token=abc",
            Join("collective@example.org", "abc"),
        ),
        (
            " XMPP:Elfe@Example.org?consometers-join;x;token=a%3Bb\n",
            Join("elfe@example.org", "a;b"),
        ),
        ("xmpp:example.org?register;preauth=abc", Register("example.org", "abc")),
        ("xmpp:zoe@example.org?register;preauth=abc", Register("example.org", "abc", "zoe")),
        ("xmpp:zo%C3%A9@example.org?register;preauth=a", Register("example.org", "a", "zoé")),
    ],
)
def test_invitations_are_read(link: str, read: Join | Register) -> None:
    assert links.read(link) == read


@pytest.mark.parametrize(
    "link",
    [
        "",
        "https://example.org?register;preauth=abc",
        "xmpp:",
        "xmpp:example.org",
        "xmpp:example.org?register",
        "xmpp:example.org?register;preauth=",
        "xmpp:example.org?register;preauth=%00",
        "xmpp:example.org/there?register;preauth=abc",
        "xmpp:?register;preauth=abc",
        "xmpp:example.org?consometers-join;token=abc",
        "xmpp:a@b@c?consometers-join;token=abc",
        "xmpp:example.org?remove;preauth=abc",
        "xmpp:example.org?register;preauth=" + "a" * 2000,
    ],
)
def test_invalid_invitations_are_refused(link: str) -> None:
    with pytest.raises(NotALink, check=says("must begin with xmpp:")):
        links.read(link)


@pytest.mark.parametrize(
    "link",
    [
        Join("collective@example.org", "abc"),
        Join("élise@example.org", "a;b&c=d é"),
        Register("example.org", "a-b_c"),
        Register("example.org", "abc", "zoé"),
    ],
)
def test_invitations_round_trip(link: Join | Register) -> None:
    assert links.read(links.write(link)) == link


def test_tokens_are_hidden_in_repr() -> None:
    assert "abc" not in repr(links.read("xmpp:example.org?register;preauth=abc"))
