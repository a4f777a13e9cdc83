"""What is made of how script/demo is called."""

import pytest

from demo import house


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "FR_ca"}, "fr"),
        ({"LANG": "tlh_XX.UTF-8"}, "en"),  # no locale of any machine
        ({"LC_ALL": "", "LC_MESSAGES": "fr_FR.UTF-8", "LANG": "C"}, "fr"),
        ({"LC_ALL": "C.UTF-8", "LANG": "fr_FR.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_a_new_home_speaks_the_language_of_whoever_opens_it(
    variables: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["script/demo"])
    assert house._arguments().language == language
