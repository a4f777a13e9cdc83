"""What visitors and programs are told of those who share around the school."""

from collections.abc import Iterable
from typing import Final

from demo.collective import ADMINISTRATION_PASSWORD, ADMINISTRATOR
from demo.federation import READER, Round, Shown, Size
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


class Teller:
    """Tells a visitor how far homes have come, at each step and no more often."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._before: tuple[int, int] | None = None

    def __call__(self, now: Progress) -> None:
        step = (now.joined // 10, int(now.told / _STEP))
        if self._quiet or step == self._before:
            return
        self._before = step
        print(f"  Foyers / Homes              {now.joined}/{now.homes}, {now.told:.0%}", flush=True)


def waiting(size: Size) -> str:
    """Show a visitor what is still to come."""
    return (
        f"La coopérative rassemble {size.days} jours de {size.homes} foyers…\n"
        f"The cooperative gathers {size.days} days of {size.homes} homes…\n"
    )


def guide(told: Round, at_home: str | None) -> str:
    """Show a visitor where to look, in the school's Home Assistant as well."""
    listed = (*told.cooperative.series, *told.municipality.series)
    return _GUIDE.format(
        cooperative_page=told.cooperative.page,
        sites=_column(told.cooperative.sites.values()),
        hall=told.cooperative.hall,
        data=told.cooperative.data,
        administration=told.cooperative.administration,
        at_home=at_home,
        municipality_page=told.municipality.page,
        municipal_administration=told.municipality.administration,
        administrator=ADMINISTRATOR,
        administration_password=ADMINISTRATION_PASSWORD,
        cooperative=told.cooperative.jid,
        municipality=told.municipality.jid,
        reader=READER,
        password=PASSWORD,
        host=told.host,
        port=told.port,
        series=_column(str(one["identifier"]) for one in listed),
        command=told.command,
        homes=told.homes,
    )


def as_json(told: Round | None, at_home: str | None) -> dict[str, object]:
    """Return the same for programs; null where the school is alone."""
    if told is None:
        return dict.fromkeys(("cooperative", "municipality", "reader", "homes", "kermelo"))
    return {
        "cooperative": {**_collective(told.cooperative, told), "device_page": at_home},
        "municipality": _collective(told.municipality, told),
        "reader": {
            "jid": READER,
            "password": PASSWORD,
            "password_file": str(told.password_file),
            "host": told.host,
            "port": told.port,
            "ca_file": str(told.ca_file),
            "command": told.command,
        },
        "homes": {"count": told.homes, "days": told.days, "plan": str(told.plan)},
        "kermelo": {"jid": told.kermelo},
    }


def _collective(shown: Shown, told: Round) -> dict[str, object]:
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
        "xmpp": {**place, "ca_file": str(told.ca_file)},
        "series": [dict(one) for one in shown.series],
    }


def _column(words: Iterable[str]) -> str:
    return f"\n{' ' * _COLUMN}".join(words)
