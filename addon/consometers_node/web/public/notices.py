"""Legal notices, the collective's description, and the files for search engines."""

from datetime import date
from html import escape

from aiohttp import web

from consometers_node.collective.challenges.register import all_challenges
from consometers_node.collective.members.members import public_collectives
from consometers_node.collective.monitoring.backups import BackupStep, backups
from consometers_node.collective.privacy import policy
from consometers_node.collective.publication.reading.queries import ALL
from consometers_node.store.collective.groups import GroupKind
from consometers_node.web.core.access import ADMINISTRATION
from consometers_node.web.core.language import LANGUAGES

from .live import base, today
from .page_base import DATA, TAKE_PART, Guest, PublicPages, tagged

ABOUT, LEGAL, PRIVACY = "/about", "/legal", "/privacy"
ACCESSIBILITY = "/accessibility"
ROBOTS, SITEMAP = "/robots.txt", "/sitemap.xml"

_XMLNS = "http://www.sitemaps.org/schemas/sitemap/0.9"
_PRIVATE = (
    ADMINISTRATION,
    "/hall",
    "/card",
    "/sites/*/hall",
    "/sites/*/card",
    "/challenge/*/",
)


async def about(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Show who the collective is, and how to reach it."""
    async with pages.store.reading() as connection:
        everybody = await pages.place(connection)
        shown = everybody and await today(pages, guest, connection, everybody)
        places = await pages.published.places(connection)
        collectives = await public_collectives(connection)
    sites = [place for place in places.values() if place.kind is GroupKind.SITE]
    return pages.page(guest, "about.html", today=shown, sites=sites, collectives=collectives)


async def show(pages: PublicPages, guest: Guest, template: str) -> web.StreamResponse:
    """Show a page that is made of the collective's description alone."""
    return pages.page(guest, template)


async def privacy(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Show the data policy."""
    async with pages.store.reading() as connection:
        off_site = BackupStep.COPIED in (await backups(connection)).last
        facts = await policy.read_facts(connection, pages.settings, off_site=off_site)
    blocks = policy.policy(facts, guest.language.tag)
    return pages.page(guest, "privacy.html", blocks=blocks)


async def robots(_pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Return robots.txt."""
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in _PRIVATE),
        f"Sitemap: {guest.origin}{SITEMAP}",
    ]
    return tagged("\n".join([*lines, ""]), "text/plain", {})


async def sitemap(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """List the public pages: of everybody, of each published commune and site, by year."""
    async with pages.store.reading() as connection:
        places = await pages.published.places(connection)
        challenges = await all_challenges(connection)
        first_days = {
            slug: await pages.published.first_day(connection, place)
            for slug, place in places.items()
        }
    paths = ["/", *(f"/year/{year}" for year in _years(first_days.get(ALL), guest))]
    for slug, place in places.items():
        if place.kind is not GroupKind.ALL and not place.is_together:
            front = base(place).rstrip("/")
            paths.append(f"/{front}")
            paths += [f"/{front}/year/{year}" for year in _years(first_days[slug], guest)]
    if challenges:
        paths += ["/challenges", *(f"/challenge/{challenge.id}" for challenge in challenges)]
    paths += [TAKE_PART, ABOUT, DATA, LEGAL, PRIVACY, ACCESSIBILITY]
    entries = "".join(_entry(guest.origin + path) for path in paths)
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="{_XMLNS}" xmlns:xhtml="http://www.w3.org/1999/xhtml">\n{entries}</urlset>\n'
    )
    return tagged(body, "application/xml", {})


def _years(first_day: date | None, guest: Guest) -> range:
    return range(first_day.year if first_day else guest.today.year, guest.today.year + 1)


def _entry(address: str) -> str:
    in_languages = "".join(
        f'<xhtml:link rel="alternate" hreflang="{tag}" href="{escape(address)}?language={tag}"/>'
        for tag in LANGUAGES
    )
    return f"<url><loc>{escape(address)}</loc>{in_languages}</url>\n"
