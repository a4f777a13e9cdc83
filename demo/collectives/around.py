"""The federation around the school, as visitors and programs see it."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from demo.servers.program import PASSWORD
from demo.servers.prosody import LOOPBACK

from .collective import ADMINISTRATION_PASSWORD, ADMINISTRATOR, Collective
from .federation import (
    HELD_AT_SCHOOL,
    KERMELO,
    MASKED,
    PROTECTED,
    READER,
    SHARES,
    Federation,
    Size,
)
from .neighbours import Progress

_COLUMN: Final = 30
_STEP: Final = 0.1
_PUBLISHED_STEP: Final = timedelta(days=80)
"""Three months make a line."""

_GUIDE: Final = """\
  Coopérative / Cooperative   {cooperative.page}
    sites                     {sites}
    écran de hall / hall      {cooperative.hall}
    défi / challenge          {challenge}
    données / open data       {cooperative.data}
    administration            {cooperative.administration}
    à l’école / at the school {at_home}
  Commune / Municipality      {municipality.page}
    administration            {municipality.administration}
    témoin / witness          {federation.witness.url}/witness
  Identifiant / User          {administrator}
  Mot de passe / Password     {administration_password}

  Coopérative / Cooperative   {cooperative.jid}
  Commune / Municipality      {municipality.jid}
  Lecteur / Reader            {reader}
  Mot de passe / Password     {password}
  Serveur / Server            {host}:{municipality.server.port}
  Séries / Series             {series}

  {federation.command}

{homes} foyers, l’école de Kersabiec et celle de Kermelo partagent avec la coopérative, qui partage
les sommes de Lorient avec la commune. Chacune a ses pages publiques et son administration.
Personne ne lit les {masked} autres foyers : ils envoient leurs heures masquées à la coopérative, et
la commune, leur témoin, n’en ouvre avec elle que la somme. L’un d’eux a perdu sa clé : ses rapports
sont invalides, et l’administration le nomme.
Cette commande lit la somme de la commune des dernières 24 heures, et, avec /members au bout du nom
de la série, combien de membres elle compte.

{homes} homes, the school of Kersabiec and that of Kermelo share with the cooperative, which shares
the sums of Lorient with the municipality. Each has its public pages and its administration.
Nobody reads the {masked} other homes: they send their hours masked to the cooperative, and the
municipality, their witness, opens nothing but the sum of them with it. One of them has lost its
key: its reports are invalid, and the administration names it.
This command reads the municipality's sum of the last 24 hours, and, with /members at the end of the
series' name, of how many members it is.
"""


_FIRST_PAGE: Final = """
  Coopérative / Cooperative   {cooperative.page}
Ses dernières semaines y sont déjà ; ses {days} jours arrivent, mois par mois, et y restent.
Its last weeks are there already; its {days} days arrive, month by month, and stay.
"""


class ProgressPrinter:
    """Reports the homes' progress to a visitor, at each step and no more often."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._before: tuple[int, int] | None = None

    def __call__(self, now: Progress) -> None:
        step = (now.joined // 10, int(now.collected / _STEP))
        if self._quiet or step == self._before:
            return
        self._before = step
        asked = f", passé demandé / past requested {now.collected:.0%}" if now.collected else ""
        print(f"  Foyers / Homes              {now.joined}/{now.homes}{asked}", flush=True)


class PublishedPrinter:
    """Reports from which day on a collective publishes, each time that three months are new."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._before: dict[str, date] = {}

    def __call__(self, collective: Collective, since: date) -> None:
        name = collective.profile.name
        before = self._before.get(name)
        if self._quiet or (before is not None and before - since < _PUBLISHED_STEP):
            return
        self._before[name] = since
        print(f"  Publié depuis / since       {since}, {name}", flush=True)


def first_page(federation: Federation) -> str:
    """Print where the last weeks are, while earlier ones follow."""
    return _FIRST_PAGE.format(cooperative=federation.cooperative, days=federation.size.days)


def waiting(size: Size) -> str:
    """Print what is still to come."""
    return (
        f"La coopérative rassemble {size.days} jours de {size.homes} foyers…\n"
        f"The cooperative gathers {size.days} days of {size.homes} homes…\n"
    )


def guide(federation: Federation, at_home: str | None) -> str:
    """Print where to look, in the school's Home Assistant as well."""
    cooperative, municipality = federation.cooperative, federation.municipality
    return _GUIDE.format(
        federation=federation,
        homes=federation.size.homes,
        masked=MASKED,
        host=LOOPBACK,
        cooperative=cooperative,
        challenge=cooperative.challenge or "–",
        municipality=municipality,
        sites=column(cooperative.sites.values()),
        at_home=at_home,
        administrator=ADMINISTRATOR,
        administration_password=ADMINISTRATION_PASSWORD,
        reader=READER,
        password=PASSWORD,
        series=column(str(s["identifier"]) for s in (*cooperative.series, *municipality.series)),
    )


def as_json(federation: Federation | None, at_home: str | None) -> dict[str, object]:
    """Return the same for programs; null where the school is alone."""
    if federation is None:
        return dict.fromkeys(
            (
                *("cooperative", "municipality", "reader", "homes", "protected_sums"),
                *("kermelo", "plants"),
            )
        )
    ca_file = str(federation.municipality.server.ca_file)
    return {
        "cooperative": {**_collective(federation.cooperative), "device_page": at_home},
        "municipality": _collective(federation.municipality),
        "reader": {
            "jid": READER,
            "password": PASSWORD,
            "password_file": str(federation.password_file),
            "host": LOOPBACK,
            "port": federation.municipality.server.port,
            "ca_file": ca_file,
            "command": federation.command,
        },
        "homes": {
            "count": federation.size.homes,
            "days": federation.size.days,
            "plan": str(federation.neighbours.file),
        },
        "protected_sums": {
            "need": PROTECTED,
            "homes": MASKED,
            "witness": f"{federation.witness.url}/witness",
            "ca_file": ca_file,
        },
        "kermelo": {"jid": KERMELO},
        "plants": {
            name: {"shares": shares, "held": HELD_AT_SCHOOL.get(name, 0)}
            for name, shares in SHARES.items()
        },
    }


def _collective(shown: Collective) -> dict[str, object]:
    return {
        "name": shown.profile.name,
        "jid": shown.jid,
        "page": shown.page,
        "sites": dict(shown.sites),
        "hall": shown.hall,
        "data": shown.data,
        "challenge": shown.challenge,
        "administration": {
            "page": shown.administration,
            "username": ADMINISTRATOR,
            "password": ADMINISTRATION_PASSWORD,
        },
        "xmpp": {
            "domain": shown.server.host,
            "host": LOOPBACK,
            "port": shown.server.port,
            "ca_file": str(shown.server.ca_file),
        },
        "series": [dict(series) for series in shown.series],
    }


def column(words: Iterable[str]) -> str:
    """Return words one under the other, in the second column of a guide."""
    return f"\n{' ' * _COLUMN}".join(words)
