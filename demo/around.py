"""What visitors and programs are told of those who share around the school."""

from collections.abc import Iterable
from typing import Final

from demo.collective import ADMINISTRATION_PASSWORD, ADMINISTRATOR
from demo.federation import READER, CollectiveView, FederationView, Size
from demo.neighbours import Progress
from demo.node import PASSWORD

_COLUMN: Final = 30
_STEP: Final = 0.1

_GUIDE: Final = """\
  Coopérative / Cooperative   {cooperative_page}
    sites                     {sites}
    écran de hall / hall      {hall}
    données / open data       {data}
    administration            {administration}
    à l’école / at the school {at_home}
  Commune / Municipality      {municipality_page}
    administration            {municipal_administration}
  Identifiant / User          {administrator}
  Mot de passe / Password     {administration_password}

  Coopérative / Cooperative   {cooperative}
  Commune / Municipality      {municipality}
  Lecteur / Reader            {reader}
  Mot de passe / Password     {password}
  Serveur / Server            {host}:{port}
  Séries / Series             {series}

  {command}

{homes} foyers, l’école de Kersabiec et celle de Kermelo partagent avec la coopérative, qui partage
les sommes de Lorient avec la commune. Chacune a ses pages publiques et son administration.
Cette commande lit la somme de la commune des dernières 24 heures, et, avec /members au bout du nom
de la série, combien de membres elle compte.

{homes} homes, the school of Kersabiec and that of Kermelo share with the cooperative, which shares
the sums of Lorient with the municipality. Each has its public pages and its administration.
This command reads the municipality's sum of the last 24 hours, and, with /members at the end of the
series' name, of how many members it is.
"""


class ProgressPrinter:
    """Tells a visitor how far homes have come, at each step and no more often."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._before: tuple[int, int] | None = None

    def __call__(self, now: Progress) -> None:
        step = (now.joined // 10, int(now.collected / _STEP))
        if self._quiet or step == self._before:
            return
        self._before = step
        print(
            f"  Foyers / Homes              {now.joined}/{now.homes}, {now.collected:.0%}",
            flush=True,
        )


def waiting(size: Size) -> str:
    """Show a visitor what is still to come."""
    return (
        f"La coopérative rassemble {size.days} jours de {size.homes} foyers…\n"
        f"The cooperative gathers {size.days} days of {size.homes} homes…\n"
    )


def guide(federation: FederationView, at_home: str | None) -> str:
    """Show a visitor where to look, in the school's Home Assistant as well."""
    listed = (*federation.cooperative.series, *federation.municipality.series)
    return _GUIDE.format(
        cooperative_page=federation.cooperative.page,
        sites=_column(federation.cooperative.sites.values()),
        hall=federation.cooperative.hall,
        data=federation.cooperative.data,
        administration=federation.cooperative.administration,
        at_home=at_home,
        municipality_page=federation.municipality.page,
        municipal_administration=federation.municipality.administration,
        administrator=ADMINISTRATOR,
        administration_password=ADMINISTRATION_PASSWORD,
        cooperative=federation.cooperative.jid,
        municipality=federation.municipality.jid,
        reader=READER,
        password=PASSWORD,
        host=federation.host,
        port=federation.port,
        series=_column(str(series["identifier"]) for series in listed),
        command=federation.command,
        homes=federation.homes,
    )


def as_json(federation: FederationView | None, at_home: str | None) -> dict[str, object]:
    """Return the same for programs; null where the school is alone."""
    if federation is None:
        return dict.fromkeys(("cooperative", "municipality", "reader", "homes", "kermelo"))
    return {
        "cooperative": {**_collective(federation.cooperative, federation), "device_page": at_home},
        "municipality": _collective(federation.municipality, federation),
        "reader": {
            "jid": READER,
            "password": PASSWORD,
            "password_file": str(federation.password_file),
            "host": federation.host,
            "port": federation.port,
            "ca_file": str(federation.ca_file),
            "command": federation.command,
        },
        "homes": {"count": federation.homes, "days": federation.days, "plan": str(federation.plan)},
        "kermelo": {"jid": federation.kermelo},
    }


def _collective(shown: CollectiveView, federation: FederationView) -> dict[str, object]:
    place = {"domain": shown.domain, "host": shown.host, "port": shown.port}
    return {
        "name": shown.name,
        "jid": shown.jid,
        "page": shown.page,
        "sites": dict(shown.sites),
        "hall": shown.hall,
        "data": shown.data,
        "administration": {
            "page": shown.administration,
            "username": ADMINISTRATOR,
            "password": ADMINISTRATION_PASSWORD,
        },
        "xmpp": {**place, "ca_file": str(federation.ca_file)},
        "series": [dict(series) for series in shown.series],
    }


def _column(words: Iterable[str]) -> str:
    return f"\n{' ' * _COLUMN}".join(words)
