"""What each response of the public pages carries."""

from aiohttp import web

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; font-src 'self'; form-action 'none'; base-uri 'none';"
    " frame-ancestors {ancestors}"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY.format(ancestors="'none'"),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-cache",
}


def harden(response: web.StreamResponse) -> None:
    """Give a response the headers that each has, unless it says otherwise."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "consometers"


def allow_embedding(response: web.StreamResponse) -> None:
    """Let any page show this one within itself."""
    response.headers["Content-Security-Policy"] = _POLICY.format(ancestors="*")
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"


def preflight() -> web.Response:
    """Tell a browser that scripts of any page may ask, also whether what they have still holds."""
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
    """Let scripts of any page read this."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = "ETag, Link, Retry-After"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
