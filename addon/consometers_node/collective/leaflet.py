"""An invitation on paper: a sheet for each, with QR codes and what to do, in French or English."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
import io

import segno

from ..quoalise import Text
from ..quoalise.text import text, typeset

_BORDER = 2
"""Modules of white around a code; a phone wants them."""

STYLE = """
@page { size: A4; margin: 16mm 18mm; }
* { box-sizing: border-box; }
body { margin: 0; color: #1c2733; background: #fff;
  font: 11.5pt/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
.sheet { min-height: 250mm; max-width: 174mm; margin: 0 auto; padding: 8mm 0; display: flex;
  flex-direction: column; break-after: page; }
.sheet:last-child { break-after: auto; }
header { border-bottom: 1.5mm solid #1c5f92; padding-bottom: 4mm; margin-bottom: 6mm; }
.kicker { margin: 0; color: #4d5c6b; font-size: 12pt; }
h1 { margin: 0; font-size: 26pt; line-height: 1.15; color: #1c5f92; overflow-wrap: anywhere; }
.lead { margin: 0 0 3mm; font-size: 13pt; }
ul.promise { margin: 0 0 5mm; padding-left: 5mm; }
ol { margin: 0; padding: 0; list-style: none; counter-reset: step; }
li.step { display: grid; grid-template-columns: 11mm 1fr auto; gap: 0 5mm; align-items: start;
  padding: 5mm 0; border-top: .3mm solid #ccd5de; counter-increment: step; break-inside: avoid; }
li.step::before { content: counter(step); display: grid; place-items: center; width: 10mm;
  height: 10mm; border-radius: 50%; background: #1c5f92; color: #fff; font-weight: 700;
  print-color-adjust: exact; -webkit-print-color-adjust: exact; }
h2 { margin: 0 0 1mm; font-size: 13pt; line-height: 1.3; }
p { margin: 0 0 2mm; }
.code { width: 46mm; }
.code svg { display: block; width: 100%; height: auto; }
code { display: block; font: 8.5pt/1.4 ui-monospace, Menlo, Consolas, monospace; color: #4d5c6b;
  overflow-wrap: anywhere; word-break: break-all; }
footer { margin-top: auto; padding-top: 4mm; border-top: .3mm solid #ccd5de; color: #4d5c6b;
  font-size: 10pt; }
@media screen and (max-width: 45rem) { .sheet { padding: 5vw !important; }
  li.step { grid-template-columns: 11mm 1fr !important; } .code { grid-column: 2; } }
@media screen { body { background: #f3f5f8; }
  .sheet { background: #fff; max-width: 210mm; padding: 16mm 18mm; margin: 8mm auto; } }
"""
_KICKER = text("Invitation", "Invitation")
_TITLE = text("Invitations", "Invitations")
_LEAD = text(
    "Share the readings of your electricity meter with {name}: those that you choose, for as long"
    " as you want.",
    "Partagez les relevés de votre compteur d’électricité avec {name} : ceux que vous choisissez,"
    " aussi longtemps que vous le voulez.",
)
_PROMISES = (
    text(
        "Nothing leaves your home unless you have seen it, and allowed it.",
        "Rien ne quitte votre foyer sans que vous l’ayez vu et autorisé.",
    ),
    text(
        "You are known by a pseudonym, unless you say otherwise.",
        "Vous êtes connu sous un pseudonyme, sauf si vous en décidez autrement.",
    ),
    text(
        "You withdraw at any time, at once, and have everything erased.",
        "Vous retirez votre autorisation à tout moment, avec effet immédiat, et faites tout"
        " effacer.",
    ),
)
_INSTALL = (
    text("Install Consometers", "Installez Consometers"),
    text(
        "In Home Assistant: Settings, Apps, Install app, menu\N{NO-BREAK SPACE}⋮, Repositories. Add"
        " the address below, install “Consometers node”, and open its page in the side bar.",
        "Dans Home Assistant : Paramètres, Applications, Installer une application,"
        " menu\N{NO-BREAK SPACE}⋮, Dépôts. Ajoutez l’adresse ci-dessous, installez « Consometers"
        " node », puis ouvrez sa page dans la barre latérale.",
    ),
)
_ACCOUNT = (
    text("Take an account", "Prenez un compte"),
    text(
        "On that page, choose “Join a collective” and paste this first invitation: it gives your"
        " home an account. If it has an XMPP account already, leave this out.",
        "Sur cette page, choisissez « Rejoindre un collectif » et collez cette première invitation"
        " : elle donne un compte à votre foyer. S’il a déjà un compte XMPP, passez cette étape.",
    ),
)
_JOIN = (
    text("Join {name}", "Rejoignez {name}"),
    text(
        "Under “Join a collective”, paste this invitation. You then see what {name} asks for, and"
        " choose.",
        "Sous « Rejoindre un collectif », collez cette invitation. Vous voyez alors ce que {name}"
        " demande, et vous choisissez.",
    ),
)
_REPOSITORY = "https://github.com/consometers/consometers-home-assistant"
_HOW = text(
    "To read a code, point your phone’s camera at it and copy the text that it shows.",
    "Pour lire un code, visez-le avec l’appareil photo de votre téléphone et copiez le texte qui"
    " s’affiche.",
)
_UNTIL = text("This invitation ends on {day}.", "Cette invitation prend fin le {day}.")
_CODE = text("QR code of the invitation", "QR code de l’invitation")
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}


@dataclass(frozen=True, slots=True)
class Leaflet:
    """An invitation to a collective of that name, perhaps with one to an account."""

    name: str
    link: str
    account: str | None
    until: datetime


def leaflets(sheets: Sequence[Leaflet], language: str) -> str:
    """Give a page to be printed, with a sheet for each invitation; it needs nothing else."""
    title = _TITLE.say(language)
    body = "\n".join(_sheet(one, language) for one in sheets)
    return (
        f'<!doctype html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{title}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def qr_image(link: str, kind: str) -> bytes:
    """Give the QR code of a link as an image: svg, or png."""
    image = io.BytesIO()
    segno.make(link, error="m", micro=False).save(image, kind=kind, scale=8, border=4)
    return image.getvalue()


def qr_inline(link: str, named: str) -> str:
    """Give the QR code of a link as an element of a page."""
    code = segno.make(link, error="m", micro=False)
    return code.svg_inline(border=_BORDER, scale=1, omitsize=True, title=named)


def qr_lines(link: str) -> str:
    """Give the QR code of a link in characters, for a terminal."""
    lines = io.StringIO()
    segno.make(link, error="l", micro=False).terminal(lines, border=_BORDER, compact=True)
    return lines.getvalue()


def _sheet(one: Leaflet, language: str) -> str:
    def said(words: Text) -> str:
        filled = words.fill(name=one.name, day=_day(one.until, language))
        return escape(typeset(filled.say(language), language))

    def step(words: tuple[Text, Text], link: str, *, drawn: bool = True) -> str:
        title, what = words
        code = _code(link, _CODE.say(language)) if drawn else ""
        return (
            f'<li class="step"><div><h2>{said(title)}</h2><p>{said(what)}</p>'
            f"<code>{escape(link)}</code></div>{code}</li>"
        )

    steps = [step(_INSTALL, _REPOSITORY, drawn=False)]
    if one.account is not None:
        steps.append(step(_ACCOUNT, one.account))
    steps.append(step(_JOIN, one.link))
    promises = "".join(f"<li>{said(promise)}</li>" for promise in _PROMISES)
    return (
        f'<article class="sheet">\n<header><p class="kicker">{said(_KICKER)}</p>'
        f"<h1>{escape(one.name)}</h1></header>\n"
        f'<p class="lead">{said(_LEAD)}</p>\n<ul class="promise">{promises}</ul>\n'
        f"<ol>{''.join(steps)}</ol>\n"
        f"<footer><p>{said(_HOW)}</p><p>{said(_UNTIL)}</p></footer>\n</article>"
    )


def _code(link: str, named: str) -> str:
    return f'<div class="code">{qr_inline(link, named)}</div>'


def _day(at: datetime, language: str) -> str:
    day: date = at.astimezone().date()
    month = _MONTHS[language].split()[day.month - 1]
    number = "1er" if language == "fr" and day.day == 1 else str(day.day)
    return f"{number} {month} {day.year}"
