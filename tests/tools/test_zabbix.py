"""The Zabbix templates, against the metrics and problems that they are written from."""

import pytest

from tools.zabbix import FILES, page


@pytest.mark.parametrize("language", FILES)
def test_the_templates_are_up_to_date(language: str) -> None:
    source = FILES[language].read_text(encoding="utf-8")
    assert source == page(language), "run: script/lib/run tools.zabbix"
