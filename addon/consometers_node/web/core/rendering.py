"""Templates, and their filters."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from consometers_node.i18n.foreign import in_html
from consometers_node.i18n.names import of_name
from consometers_node.i18n.text import Text, typeset

from .speech import Language

TEMPLATES = Path(__file__).parents[1] / "templates"
OPTIONS: Mapping[str, Any] = {
    "autoescape": True,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "extensions": ["jinja2.ext.i18n"],
}


@cache
def environment() -> Environment:
    """Return the template environment; each template is compiled once."""
    made = Environment(  # noqa: S701  # OPTIONS escape
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, auto_reload=False, **OPTIONS
    )
    made.install_gettext_callables(_gettext, _ngettext, newstyle=True)  # type: ignore[attr-defined]
    for name in vars(Language):
        if not name.startswith("_"):
            made.filters[name] = _written(name)
    made.filters["say"] = _say
    made.filters["of_name"] = _of_name
    made.filters["tagged"] = _tagged
    made.filters["foreign"] = _foreign
    made.filters["length_of"] = len
    made.filters["iso_month"] = "{:%Y-%m}".format
    return made


def _language(context: Context) -> Language:
    language = context["language"]
    assert isinstance(language, Language)
    return language


@pass_context
def _gettext(context: Context, message: str) -> str:
    return _language(context).gettext(message)


@pass_context
def _ngettext(context: Context, singular: str, many: str, count: int) -> str:
    return _language(context).ngettext(singular, many, count)


@pass_context
def _say(context: Context, words: Text | Mapping[str, str]) -> str:
    return _language(context)(words if isinstance(words, Text) else Text(words))


@pass_context
def _of_name(context: Context, name: str) -> str:
    return _language(context)(of_name(name))


@pass_context
def _tagged(context: Context, words: Mapping[str, str]) -> str:
    """Render somebody's words, with their language where that is not the page's."""
    page = _language(context).tag
    tag = Text(words).language(page)
    sentence = typeset(Text(words).say(page), tag)
    is_in_page = tag.partition("-")[0] == page
    return Markup(in_html(sentence, None if is_in_page else tag))  # noqa: S704  # it escapes


def _foreign(words: str) -> str:
    """Render a name or an address that somebody else states."""
    return Markup(in_html(words))  # noqa: S704  # it escapes


def _written(name: str) -> Any:
    @pass_context
    def write(context: Context, *arguments: Any) -> str:
        return str(getattr(_language(context), name)(*arguments))

    return write
