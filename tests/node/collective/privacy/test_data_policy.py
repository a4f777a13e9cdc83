"""The data policy of a collective, from the data of its node."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from consometers_node.collective.about import About
from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.privacy.policy import Facts, draft, policy
from testing.homes.data_needs import HEAT, NEED, PROTECTED, WITNESS
from testing.pages.town import ABOUT, settings as of_town


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    settings = replace(of_town(tmp_path), location="Lorient", backups_kept_days=30)
    publication = Publication(minimum=12)
    return Facts(needs=(NEED, HEAT), settings=settings, publication=publication, off_site=False)


def shown(facts: Facts, language: str) -> list[str]:
    return [words.say(language) for block in policy(facts, language) for words in block.words]


def test_the_policy_has_the_information_that_the_law_requires(facts: Facts) -> None:
    written = draft(facts, "en")
    for expected in (
        f"# Data policy of {facts.settings.name}",
        NEED.controller,
        "Contact for all questions about your data: dpo@coop.example.",
        "### Sunny roofs\n\nTo size the next roof.",
        "- Other recipients: Nobody else.\n",
        "- Kept: 90 days after the end of the permission.",
        "### Chauffage\n\nIsoler ce qui perd le plus.",
        "Consent (GDPR, article 6(1)(a))",
        "- Location of the data: Lorient.",
        "sums of at least 12 homes",
        "for up to 30 days more",
        "otherwise write to dpo@coop.example",
        "CNIL",
    ):
        assert expected in written, expected
    titles = [line for line in written.splitlines() if line.startswith("## ")]
    assert len(titles) == 8


def test_the_french_policy_counts_the_off_site_copy(facts: Facts) -> None:
    facts = replace(facts, publication=Publication(minimum=None), off_site=True)
    written = draft(facts, "fr")
    assert "### Toits au soleil" in written
    assert "y reste encore 32 jours au plus" in written
    assert "autant de foyers que la loi l’exige" in written
    assert "réclamation à l’autorité de contrôle" in written


def test_the_policy_names_the_witness_of_protected_sums(facts: Facts) -> None:
    written = draft(replace(facts, needs=(PROTECTED,)), "en")
    assert f"The witness, {WITNESS.name} ({WITNESS.contact}), has the key" in written
    assert f"each hour, masked: sums alone can be opened, together with {WITNESS.name}" in written
    assert f"sums of at least {WITNESS.minimum} homes with us" in written


def test_only_the_draft_has_gaps_in_brackets(facts: Facts) -> None:
    unknown = replace(facts.settings, location=None, backups_kept_days=None, about=About())
    facts = replace(facts, settings=unknown, needs=())
    written = draft(facts, "en")
    for expected in (
        "Énergies de Lorient, [legal form], [registration number], [postal address]. Contact",
        "[make this draft again after",
        "[data protection officer",
        "[name and address of the host]",
        "[city and country",
        "[number of days]",
        "[e-mail address]",
    ):
        assert expected in written, expected
    assert "{" not in written
    for language in ("en", "fr"):
        assert not {"[", "]", "{", "}"} & set(" ".join(shown(facts, language)))


def test_the_policy_identifies_the_collective(facts: Facts) -> None:
    settings = replace(facts.settings, about=replace(ABOUT, dpo="dpo@lorient.example"))
    sentences = shown(replace(facts, settings=settings, needs=()), "en")
    assert sentences[1] == (
        "Énergies de Lorient, association loi de 1901, W561000000, 1 quai du Port, 56100 Lorient."
        " Contact for all questions about your data: contact@lorient.example."
    )
    assert "Data protection officer: dpo@lorient.example." in sentences
    host = "Our host, on our behalf: Hébergeur solidaire, 2 quai du Port, 56100 Lorient."
    assert host in sentences


def test_an_audit_counts_once_it_is_complete() -> None:
    audit = replace(ABOUT, audit_on=date(2026, 5, 4), audit_by="Access lab")
    states = [
        replace(audit, audit_percent=percent).accessibility for percent in (None, 49, 50, 99, 100)
    ]
    assert states == ["not", "not", "partially", "partially", "fully"]
    assert replace(ABOUT, audit_percent=100).accessibility == "not"
