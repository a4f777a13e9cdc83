"""The language of a page."""

from aiohttp import web

LANGUAGES = {"en": "English", "fr": "Français"}
"""Each by its own name."""
COOKIE = "consometers_language"

_DEFAULT = "en"
_MOST_TAGS = 20
_A_YEAR_S = 365 * 24 * 3600


def preferred(request: web.Request, default: str = _DEFAULT) -> str:
    """Return the language chosen here, else the first of ours that the browser asks for."""
    chosen = request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    header = request.headers.get("Accept-Language", "").split(",")[:_MOST_TAGS]
    asked = sorted(map(_weighed, header), key=lambda weighted: -weighted[1])
    return next((tag for tag, weight in asked if weight > 0 and tag in LANGUAGES), default)


def requested(request: web.Request, default: str = _DEFAULT) -> str:
    """Return the language in the URL, else the `preferred` one."""
    tag = request.query.get("language", "")
    return tag if tag in LANGUAGES else preferred(request, default)


def remember(request: web.Request, response: web.StreamResponse) -> None:
    """Store the language of a page in the browser, if the URL chose it."""
    tag = response.headers.get("Content-Language")
    if tag is not None and request.query.get("language") == tag:
        response.set_cookie(COOKIE, tag, max_age=_A_YEAR_S, samesite="Lax", httponly=True)


def _weighed(part: str) -> tuple[str, float]:
    tag, _, parameters = part.strip().partition(";")
    language = tag.strip().partition("-")[0].lower()
    try:
        return language, float(parameters.strip().removeprefix("q=") or 1)
    except ValueError:
        return language, 0.0
