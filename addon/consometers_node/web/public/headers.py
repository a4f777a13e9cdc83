"""The headers of public responses."""

from aiohttp import web

from consometers_node.web.core.access import HEADERS

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; font-src 'self'; form-action 'none'; base-uri 'none';"
    " frame-ancestors {ancestors}"
)
_HEADERS = HEADERS | {
    "Content-Security-Policy": _POLICY.format(ancestors="'none'"),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


async def harden(_request: web.Request, response: web.StreamResponse) -> None:
    """Add the default headers to a response before it is sent: a signal of the application."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "consometers"


def allow_embedding(response: web.StreamResponse) -> None:
    """Allow any page to embed this one."""
    response.headers["Content-Security-Policy"] = _POLICY.format(ancestors="*")
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"


def preflight() -> web.Response:
    """Answer a preflight request (CORS): scripts of any page may ask, with conditions too."""
    response = web.Response(
        status=204,
        headers={
            "Access-Control-Allow-Methods": "GET, HEAD",
            "Access-Control-Allow-Headers": "If-None-Match",
            "Access-Control-Max-Age": "86400",
            "Allow": "GET,HEAD,OPTIONS",
        },
    )
    allow_reading(response)
    return response


def allow_reading(response: web.StreamResponse) -> None:
    """Allow scripts of any page to read this (CORS)."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = "ETag, Link, Retry-After"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
