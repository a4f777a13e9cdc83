"""What people paste and write: invitations, and the settings of a collective."""

import json
from pathlib import Path

from hypothesis import strategies as st

from consometers_node.collective.settings import KEYS, Settings
from consometers_node.collective.settings_file import read
from consometers_node.settings_file.file import BadSettings
from consometers_quoalise_network import Join, Register, links
from consometers_quoalise_network.errors import NotALink
from testing.collectives.settings import FULL_SETTINGS, LEAST_SETTINGS
from testing.hostile.documents import NASTY
from testing.hostile.exploring import check_words, explore

PARTS = st.sampled_from(
    [
        "xmpp:",
        "XMPP:",
        "coop@example.org",
        "example.org",
        "zo%C3%A9",
        "@",
        "/",
        "?",
        ";",
        "&",
        "=",
        "#",
        "%",
        "%00",
        "%ff%fe",
        "%2F%40",
        "register",
        "consometers-join",
        "token=",
        "preauth=",
        "abc",
        "\N{RIGHT-TO-LEFT OVERRIDE}",
        "[::1]",
        "127.0.0.1",
        "xn--",
        "İ",
        "ß",
    ]
)


INVITATIONS: list[Join | Register] = [
    Join("coop@example.org", "a;b/é"),
    Register("example.org", "abc"),
    Register("example.org", "abc", "zoé"),
]


def test_invitations_are_refused_or_survive_a_round_trip() -> None:
    def check(link: str) -> None:
        try:
            invitation = links.read(link)
        except NotALink:
            return
        assert links.read(links.write(invitation)) == invitation

    whole = st.sampled_from(INVITATIONS).map(links.write)
    free = st.lists(PARTS | NASTY, max_size=8).map("".join)
    typed = st.builds("xmpp:{}@{}?consometers-join;token={}".format, NASTY, NASTY, NASTY)
    cut = st.builds(
        lambda link, at, part: link[:at] + part + link[at:], whole, st.integers(0, 60), PARTS
    )
    long = "é" * 300
    regressions = [(f"xmpp:{long}@example.org?consometers-join;token={long}",)]
    explore("invitations", 120, check, free | typed | cut, regressions=regressions)


VALUES = st.recursive(
    NASTY
    | st.sampled_from(["it's", "~nobody/there", "a\0b", "postgresql://h:port/", "Europe", "/"])
    | st.integers()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(NASTY, values, max_size=2),
    max_leaves=5,
)


@st.composite
def written(draw: st.DrawFn) -> bytes:
    """Return a file of settings in which something is wrong, or nothing."""
    lines = draw(st.sampled_from([LEAST_SETTINGS, FULL_SETTINGS])).splitlines()
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(lines)))
        key = draw(st.sampled_from(sorted({name.rpartition(".")[2] for name in KEYS})) | NASTY)
        match draw(st.integers(0, 3)):
            case 0:
                lines[at:at] = [f"{key} = {json.dumps(draw(VALUES), ensure_ascii=False)}"]
            case 1 if at < len(lines) and "=" in lines[at]:
                name = lines[at].partition("=")[0]
                lines[at] = f"{name}= {json.dumps(draw(VALUES), ensure_ascii=False)}"
            case 2:
                lines[at:at] = [
                    draw(st.sampled_from(["[" * 20_000, "a." * 5_000 + "b = 1", "\udcff"]))
                ]
            case _:
                lines[at:at] = [draw(NASTY)] * draw(st.sampled_from([1, 500]))
    return "\n".join(lines).encode(errors="surrogateescape")


def test_settings_are_read_or_refused_with_a_message(tmp_path: Path) -> None:
    file = tmp_path / "collective.toml"

    def check(document: bytes, variable: str, value: str) -> None:
        file.write_bytes(document)
        for environment in ({}, {variable: value}):
            try:
                settings = read(file, environment)
            except BadSettings as fault:
                check_words(fault.text)
            else:
                assert isinstance(settings, Settings)

    variables = st.sampled_from(sorted(key.variable for key in KEYS.values()))
    values = NASTY | st.sampled_from(["it's", "~nobody/there", "postgresql://h:port/", "Europe"])
    least = LEAST_SETTINGS.encode()
    regressions = [
        (b"a." * 5_000 + b"b = 1", "CONSOMETERS_DATA", ""),
        (least, "CONSOMETERS_METRICS_PORT", "9" * 5_000),
        (least, "CONSOMETERS_XMPP_ACCOUNT_COMMAND", "it's"),
        (least, "CONSOMETERS_DATA", "~nobody.of.this.name/there"),
        (least, "CONSOMETERS_DATABASE", "postgresql://h:port/"),
    ]
    explore("settings", 100, check, written(), variables, values, regressions=regressions)
