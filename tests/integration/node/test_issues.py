"""What a person should know or do about what is shared."""

from datetime import timedelta
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest

from custom_components.consometers.const import DOMAIN
from custom_components.consometers.node import issues
from custom_components.consometers.node.issues import (
    CLOCK_WRONG,
    MESSAGE,
    NEED_CHANGED,
    PERMISSION_EXPIRES,
    SHARING_STUCK,
)
from testing.integration.node import NodeView
from testing.integration.toy_node import collective, letter, permission
from testing.waiting import until


def ago(**time: float) -> str:
    return (dt_util.utcnow() - timedelta(**time)).isoformat()


def ahead(**time: float) -> str:
    return (dt_util.utcnow() + timedelta(**time)).isoformat()


def with_permission(**changes: Any) -> list[dict[str, Any]]:
    return [collective(permissions=[permission(**changes)])]


OF_COLLECTIVE = ("collective", "\u2068Coopérative 1\u2069")


@pytest.mark.parametrize(
    ("answer", "kind", "placeholder"),
    [
        ({"collectives": [collective(waiting_since=ago(hours=25))]}, SHARING_STUCK, OF_COLLECTIVE),
        (
            {"collectives": with_permission(valid_until=ahead(days=13))},
            PERMISSION_EXPIRES,
            OF_COLLECTIVE,
        ),
        ({"collectives": with_permission(newer_version="next")}, NEED_CHANGED, OF_COLLECTIVE),
        (
            {"collectives": [collective(letters=[letter(en="Call us.\n[Now](https://x.test)")])]},
            MESSAGE,
            (
                "message",
                "\u2068Call us\\.\u2069\\\n\u2068\\[Now\\]\\(https\\:\\/\\/x\\.test\\)\u2069",
            ),
        ),
        (
            {"clock": {"en": "It shows 2029.", "fr": "Elle indique 2029."}},
            CLOCK_WRONG,
            ("why", "It shows 2029."),
        ),
    ],
    ids=["stuck", "ends", "changed", "message", "clock"],
)
async def test_an_issue_links_to_the_node_and_disappears_once_solved(
    house: NodeView, answer: dict[str, Any], kind: str, placeholder: tuple[str, str]
) -> None:
    house.toy.answer.update(answer)
    await house.start()
    (issue,) = house.issues().values()
    assert issue.translation_key == kind
    assert not issue.is_fixable
    assert issue.learn_more_url == house.toy.url
    assert issue.translation_placeholders is not None
    assert placeholder in issue.translation_placeholders.items()

    house.toy.change(collectives=[collective()], clock=None)
    await until(lambda: not house.issues())


@pytest.mark.parametrize(
    "collectives",
    [
        pytest.param([collective(waiting_since=ago(hours=23))], id="waits since yesterday"),
        pytest.param(
            [collective(waiting_since=ago(days=9), permissions=[permission(paused=True)])],
            id="paused",
        ),
        pytest.param(with_permission(valid_until=ahead(days=15)), id="lasts"),
        pytest.param(with_permission(valid_until=ahead(days=1), state="withdrawn"), id="ended"),
    ],
)
async def test_normal_permissions_raise_no_issue(
    house: NodeView, collectives: list[dict[str, Any]]
) -> None:
    await house.start(*collectives)
    assert house.issues() == {}


async def test_an_issue_appears_as_time_passes(
    house: NodeView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing changes in the node, and an hour later a day is over."""
    await house.start(collective(waiting_since=ago(hours=23, minutes=30)))
    assert house.issues() == {}
    monkeypatch.setattr(issues, "STUCK_AFTER", issues.STUCK_AFTER - timedelta(hours=1))
    house.toy.say()
    await until(house.issues)
    assert set(house.issues()) == {SHARING_STUCK}


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Daily display"), ("fr", "Affichage quotidien")]
)
async def test_permissions_are_named_in_the_language_of_the_home(
    hass: HomeAssistant, house: NodeView, language: str, title: str
) -> None:
    hass.config.language = language
    await hass.config.async_set_time_zone("Europe/Paris")
    until_then = dt_util.utcnow().replace(hour=23, minute=30) + timedelta(days=3)
    await house.start(*with_permission(valid_until=until_then.isoformat()))
    issue = house.issues()[PERMISSION_EXPIRES]
    # It is half past midnight in Paris.
    last_day = (until_then + timedelta(days=1)).date().isoformat()
    assert issue.translation_placeholders == {
        "name": "\u2068Coopérative 1\u2069",
        "collective": "\u2068Coopérative 1\u2069",
        "permission": f"\u2068{title}\u2069",
        "date": last_day,
    }


async def test_each_collective_has_its_own_issue(house: NodeView) -> None:
    stuck = ago(days=2)
    await house.start(*[collective(each, waiting_since=stuck) for each in ("1", "2")])
    issues_of_all = ir.async_get(house.hass).issues
    assert len([domain for domain, _ in issues_of_all if domain == DOMAIN]) == 2
    house.toy.change(collectives=[collective("2", waiting_since=stuck)])
    await until(lambda: len([domain for domain, _ in issues_of_all if domain == DOMAIN]) == 1)


@pytest.mark.parametrize(
    ("body", "paragraphs"),
    [
        ("Hello,\nall is well.\n\nYours", ["Hello,\\\nall is well.", "Yours"]),
        ("\n \nHello\n\u200b\n\n\t\nYours\n", ["Hello", "Yours"]),
        ("    indented\n- a list\n===", ["indented\\\n- a list\\\n==="]),
    ],
    ids=["lines and paragraphs", "empty lines", "no blocks"],
)
async def test_a_message_keeps_its_paragraphs(
    house: NodeView, body: str, paragraphs: list[str]
) -> None:
    await house.start(collective(letters=[letter(en=body)]))
    placeholders = house.issues()[MESSAGE].translation_placeholders
    assert placeholders is not None
    plain = re.sub(r"[\u2068\u2069]|\\(?=[^\n])", "", placeholders["message"])
    assert plain.split("\n\n") == paragraphs
    lines = re.split(r"\\?\n+", placeholders["message"])
    assert all(re.fullmatch("\u2068.+\u2069", line) for line in lines)


async def test_words_of_a_collective_are_no_markdown(house: NodeView) -> None:
    words = "![x](https://evil.example/x) www.evil.example <img src=a> a@evil.example\n# \u202eb"
    title = dict.fromkeys(("en", "fr"), words)
    changed = permission(newer_version="next", title=title, valid_until=ahead(days=13))
    await house.start(collective(name=words, waiting_since=ago(hours=25), permissions=[changed]))
    shown = house.issues()
    assert shown.keys() == {SHARING_STUCK, NEED_CHANGED, PERMISSION_EXPIRES}
    for issue in shown.values():
        placeholders = dict(issue.translation_placeholders or {})
        placeholders.pop("date", None)
        for name, value in placeholders.items():
            assert (value[0], value[-1]) == ("\u2068", "\u2069")
            assert not set(value[1:-1]) & set("\n\u202e\u2066\u2069")
            if name != "name":
                assert not re.search(r"(?<!\\)[!\[\]()<>#.:@/]", value)
    for language in ("en", "fr"):
        # A title is plain text, and a description Markdown.
        path = Path(issues.__file__).parents[1] / "translations" / f"{language}.json"
        for kind in shown:
            texts = json.loads(path.read_text())["issues"][kind]
            assert "{name}" in texts["title"]
            assert "{collective}" not in texts["title"]
            assert "{name}" not in texts["description"]
