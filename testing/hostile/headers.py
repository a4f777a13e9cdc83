"""Headers of a request that something here reads."""

HEADERS = (
    "Host", "Authorization", "Origin", "Referer", "Cookie", "X-Forwarded-For", "X-Forwarded-Proto",
    "X-Forwarded-Host", "X-Ingress-Path", "X-Remote-User-Id", "X-Remote-User-Display-Name",
    "Accept-Language", "Accept", "If-None-Match", "If-Modified-Since", "Range", "Expect", "Upgrade",
    "Content-Type", "Content-Encoding", "Sec-Fetch-Site",
)  # fmt: skip
