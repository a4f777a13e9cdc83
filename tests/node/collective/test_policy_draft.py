"""The data policy that a collective completes: what the law asks for, of what the node knows."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from consometers_node.collective.disclosure.sdc_rules import Agreed, ByLaw, Publication
from consometers_node.collective.privacy.policy_draft import draft
from consometers_node.collective.privacy.processing_records import Processing
from consometers_node.collective.settings import Settings

from ..permission.samples import NEED, now
from ..web.public.town import settings as of_town
from .test_privacy_notice import HEAT

PUBLICATION = Publication(basis=Agreed(12))
ASKED = [Processing(need, now() - timedelta(days=9), None, 3, 1) for need in (NEED, HEAT)]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(of_town(tmp_path), location="Lorient", backups_kept_days=30)


def test_it_says_what_the_law_asks_for(settings: Settings) -> None:
    written = draft(ASKED, settings, PUBLICATION, "en", off_site=False)
    for expected in (
        f"# Data policy of {settings.name}",
        NEED.controller,
        "Contact for all questions about your data: dpo@coop.example.",
        "### Sunny roofs\n\nTo size the next roof.",
        "- Other recipients: Nobody else.\n",
        "- Kept: 90 days after the end of the permission.",
        "### Chauffage\n\nIsoler ce qui perd le plus.",
        "Consent (GDPR, article 6(1)(a))",
        "Location: Lorient.",
        "sums of at least 12 homes",
        "for up to 30 days more",
        "otherwise write to dpo@coop.example",
        "CNIL",
    ):
        assert expected in written, expected
    titles = [line for line in written.splitlines() if line.startswith("## ")]
    assert len(titles) == 7


def test_it_is_in_french_and_counts_the_copy_elsewhere(settings: Settings) -> None:
    written = draft(ASKED, settings, Publication(basis=ByLaw()), "fr", off_site=True)
    assert "### Toits au soleil" in written
    assert "y reste encore 32 jours au plus" in written
    assert "autant de foyers que la loi l’exige" in written
    assert "réclamation à l’autorité de contrôle" in written


def test_what_the_node_does_not_know_stands_in_brackets(settings: Settings) -> None:
    unknown = replace(settings, location=None, backups_kept_days=None)
    written = draft([], unknown, PUBLICATION, "en", off_site=True)
    for expected in (
        "[name of the collective]",
        "[Nothing is asked for yet",
        "[city and country]",
        "[number of days]",
        "[e-mail address]",
    ):
        assert expected in written
    assert "{" not in written
