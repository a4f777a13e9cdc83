"""The benchmark of a flood: strangers send what a server relays, and it prints the figures."""

from collections import Counter
from itertools import islice
from xml.etree import ElementTree as ET

import pytest

from tools.bench import flood


def test_all_kinds_of_stanzas_come_from_many_strangers_and_are_well_formed() -> None:
    sent = [ET.fromstring(stanza) for stanza in islice(flood.stanzas(50, "a@one.test"), 2_000)]
    assert len({stanza.get("from") for stanza in sent}) == 50
    assert {stanza.get("to") for stanza in sent if stanza.tag == "iq"} == {"a@one.test/quoalise"}
    kinds = Counter(stanza[0].tag if len(stanza) else "an attribute" for stanza in sent)
    assert len(kinds) == 6
    assert min(kinds.values()) > 10


@pytest.mark.full
def test_members_are_measured_without_and_with_a_flood(
    socket_enabled: None, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ["--members", "4", "--strangers", "5", "--rate", "50", "--rounds", "1", "--seconds", "3"]
    assert flood.main(few) in (0, 1)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["4", "alone:", "beside:", "p95"]
    assert all("p95" in line for line in lines[1:])
