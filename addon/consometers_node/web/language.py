"""In which language a page is to be."""

from aiohttp import web

LANGUAGES = {"en": "English", "fr": "Français"}
"""Each by the name that its speakers give it."""
COOKIE = "consometers_language"

_DEFAULT = "en"
_MOST_TAGS = 20


def wanted(request: web.Request) -> str:
    """Return the language that was chosen here, else the first that the browser asks for."""
    chosen = request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    told = request.headers.get("Accept-Language", "").split(",")[:_MOST_TAGS]
    asked = sorted(map(_weighed, told), key=lambda one: -one[1])
    return next((tag for tag, weight in asked if weight > 0 and tag in LANGUAGES), _DEFAULT)


def _weighed(told: str) -> tuple[str, float]:
    tag, _, parameters = told.strip().partition(";")
    language = tag.strip().partition("-")[0].lower()
    try:
        return language, float(parameters.strip().removeprefix("q=") or 1)
    except ValueError:
        return language, 0.0
