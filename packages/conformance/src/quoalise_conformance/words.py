"""What the kit says, in the two languages of its users."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Language(StrEnum):
    """A language that the kit speaks."""

    ENGLISH = "en"
    FRENCH = "fr"

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Language:
        """Return the language of the locale that these variables set."""
        names = ("LC_ALL", "LC_MESSAGES", "LANG")
        locale = next((value for name in names if (value := environment.get(name))), "")
        return cls.FRENCH if locale.lower().startswith("fr") else cls.ENGLISH


def say(key: str, language: Language, **facts: object) -> str:
    """Return a sentence or a word, with its facts put in."""
    english, french = WORDS[key]
    return (french if language is Language.FRENCH else english).format(**facts)


WORDS: Final = {
    # Outcomes
    "passed": ("passed", "réussi"),
    "failed": ("FAILED", "ÉCHEC"),
    "deviates": ("deviates", "s’écarte"),
    "not tried": ("not tried", "non essayé"),
    "summary": (
        (
            "{passed} passed, {failed} failed, {deviates} deviate from a SHOULD,"
            " {not_tried} not tried."
        ),
        (
            "{passed} réussies, {failed} en échec, {deviates} s’écartent d’un DEVRAIT,"
            " {not_tried} non essayées."
        ),
    ),
    "schema": (
        "Each stanza is valid by the schemas of the protocol.",
        "Chaque stanza est valide selon les schémas du protocole.",
    ),
    "stanza": ("The stanza:", "La stanza :"),
    # Why something failed
    "refused": ("It was refused with {seen}.", "La réponse est un refus, {seen}."),
    "not_refused": (
        "Expected a refusal with {wanted}; it was answered.",
        "Un refus {wanted} est attendu ; la demande a reçu une réponse.",
    ),
    "other": ("Expected {wanted}; it is {seen}.", "{wanted} est attendu ; on lit {seen}."),
    "lacks": ("It lacks {what}.", "Il manque {what}."),
    "written": ("It has {what}.", "On y trouve {what}."),
    "unreadable": (
        "It has {what}, which is not valid.",
        "On y trouve {what}, qui n’est pas valide.",
    ),
    "twice": ("{what} is there twice.", "{what} y est deux fois."),
    "differs": (
        "The records are not those of the same request written otherwise: {form}.",
        "Les relevés diffèrent de ceux de la même demande écrite autrement : {form}.",
    ),
    "outside": (
        "{count} records are outside the requested range.",
        "{count} relevés sont hors de la période demandée.",
    ),
    "too_many": (
        "It has {count}, of at most {most}.",
        "On en compte {count}, pour {most} au plus.",
    ),
    "cut": (
        "The answer lacks records of the range: it was cut instead of refused.",
        "Il manque à la réponse des relevés de la période : coupée, elle aurait dû être refusée.",
    ),
    "one_language": (
        "The labels are the same in English and in French.",
        "Les libellés sont les mêmes en anglais et en français.",
    ),
    "answered_error": (
        "It answered a stanza of type error.",
        "Une stanza de type error a reçu une réponse.",
    ),
    "not_again": (
        "The message without a receipt did not come again.",
        "Le message sans accusé de réception n’est pas revenu.",
    ),
    "beyond": ("It exceeds a limit: {what}.", "Une limite est dépassée : {what}."),
    "invalid": ("It is not valid: {what}", "Elle n’est pas valide : {what}"),
    # Why a client failed
    "repeated": (
        "The refused request came again, {seconds} s after {what}.",
        "La demande refusée est revenue {seconds} s après {what}.",
    ),
    "overlapping": (
        "A request came while another was under way.",
        "Une demande est arrivée pendant qu’une autre était en cours.",
    ),
    "not_shorter": (
        "After bad-request for a range, no shorter one with the same start came.",
        "Après bad-request pour une période, aucune plus courte de même début n’est venue.",
    ),
    "not_next": (
        "After the first part of a range, the request for the next part did not come.",
        "Après la première partie d’une période, la demande de la suite n’est pas venue.",
    ),
    "no_receipt": (
        "No receipt came for a message with {what}.",
        "Aucun accusé de réception n’est venu pour un message avec {what}.",
    ),
    "receipt": (
        "A receipt came for a message with {what}, which is to be refused.",
        "Un accusé de réception est venu pour un message avec {what}, qui doit être refusé.",
    ),
    "not_returned": (
        "A message with {what} did not come back as one of type error.",
        "Un message avec {what} n’est pas revenu avec le type error.",
    ),
    # Why something was not tried
    "no_federation": ("It speaks no Federation.", "Ce programme ne parle pas Federation."),
    "is_household": ("It is no collective.", "Ce n’est pas un collectif."),
    "is_collective": ("It is no household.", "Ce n’est pas un foyer."),
    "is_member": (
        "The account may read the data requests: it is a member.",
        "Le compte peut lire les demandes de données : c’est celui d’un membre.",
    ),
    "no_history": (
        "get_history of the series was not answered with records.",
        "get_history de la série n’a pas reçu de relevés en réponse.",
    ),
    "no_records": (
        "The range has too few records: choose another with --start and --end.",
        "La période a trop peu de relevés : choisissez-en une autre avec --start et --end.",
    ),
    "no_refusal": ("Nothing was refused.", "Rien n’a été refusé."),
    "no_subscribe": ("It takes no subscription.", "Ce programme n’accepte pas d’abonnement."),
    "none_came": ("No message was pushed in time.", "Aucun message n’a été envoyé à temps."),
    "none_sent": ("There was no {what}.", "Il n’y avait pas de {what}."),
    "no_needs": ("No data request was shown.", "Aucune demande de données n’a été montrée."),
    "no_collectives": (
        "The series is not a collective's sum.",
        "La série n’est pas la somme d’un collectif.",
    ),
    "not_listed": ("list_series was refused.", "list_series a été refusée."),
    "not_listening": (
        "Pushed messages are tried with --listen.",
        "Les messages envoyés s’essaient avec --listen.",
    ),
    "source": ("A source refused it: {seen}.", "Une source l’a refusé : {seen}."),
    "refused_now": (
        "It was refused for now: {seen}.",
        "La demande est refusée pour l’instant : {seen}.",
    ),
    "no_request": ("No such request came.", "Aucune demande de ce genre n’est venue."),
    "no_receipts": (
        "The subscriber announces no receipts.",
        "L’abonné n’annonce pas d’accusés de réception.",
    ),
    "no_subscriber": ("Nobody subscribed.", "Personne ne s’est abonné."),
    "no_reaction": (
        "No reaction to the last message came.",
        "Aucune réaction au dernier message n’est venue.",
    ),
    "of_clients": (
        "It concerns who asks and receives: quoalise-conformance client tries it.",
        "Elle concerne qui demande et reçoit : quoalise-conformance client l’essaie.",
    ),
    "of_servers": (
        "It concerns who answers and sends: quoalise-conformance server tries it.",
        "Elle concerne qui répond et envoie : quoalise-conformance server l’essaie.",
    ),
    "unseen_specification": (
        "It is about another version of the protocol; there is one.",
        "Elle porte sur une autre version du protocole ; il n’y en a qu’une.",
    ),
    "unseen_optional": (
        "It allows something, and demands nothing.",
        "Elle permet quelque chose, et n’exige rien.",
    ),
    "unseen_inside": (
        "It happens inside the program: no stanza shows it.",
        "Cela se passe dans le programme : aucune stanza ne le montre.",
    ),
    "unseen_house": (
        "Only the meter, or its household, knows whether it is so.",
        "Seul le compteur, ou son foyer, sait s’il en est ainsi.",
    ),
    "unseen_time": (
        "It shows at a restart, a loss or a certain moment, which no peer can bring about.",
        "Cela se voit à un redémarrage, à une perte ou à un moment qu’aucun pair ne provoque.",
    ),
    "unseen_servers": (
        "It shows to the XMPP servers, or to another account or resource.",
        "Cela se voit aux serveurs XMPP, ou à un autre compte ou une autre ressource.",
    ),
    "unseen_all": (
        "The kit speaks Quoalise alone: all other results show it.",
        "Le programme d’essai ne parle que Quoalise : tous les autres résultats le montrent.",
    ),
    "unseen_grant": (
        "It takes a permission of a household, which the kit neither gives nor asks for.",
        "Il y faut l’autorisation d’un foyer, que le programme d’essai ne donne ni ne demande.",
    ),
    "unseen_members": (
        "It takes what only members, or the collective, know.",
        "Il y faut ce que seuls les membres, ou le collectif, savent.",
    ),
    "unseen_invitation": (
        "It takes an invitation, which is no stanza.",
        "Il y faut une invitation, qui n’est pas une stanza.",
    ),
    "unseen_sums": (
        (
            "It takes masked reports, a witness or its keys: the specification of protected sums"
            " has test vectors."
        ),
        (
            "Il y faut des rapports masqués, un témoin ou ses clés : la spécification des sommes"
            " protégées a des vecteurs de test."
        ),
    ),
    # Bad input, and what stands in the way
    "no_account": (
        "{jid} is no account: write it as name@server.",
        "{jid} n’est pas un compte : écrivez nom@serveur.",
    ),
    "no_address": (
        "{address} is no address of a peer: write it as name@server, or name@server/resource.",
        "{address} n’est pas l’adresse d’un pair : écrivez nom@serveur, ou nom@serveur/ressource.",
    ),
    "no_series": (
        "{series} does not name a series: see “Identifiers” in the protocol.",
        "{series} ne nomme pas une série : voir « Identifiants » dans le protocole.",
    ),
    "no_time": ("{time} is no time of ISO 8601.", "{time} n’est pas une date ISO 8601."),
    "backwards": ("The end is not after the start.", "La fin n’est pas après le début."),
    "no_file": ("{file} cannot be read: {why}.", "{file} ne peut pas être lu : {why}."),
    "unreachable": (
        "The XMPP server {host} cannot be reached: {why}.",
        "Le serveur XMPP {host} est injoignable : {why}.",
    ),
    "untrusted": (
        "The certificate of {host} is not trusted: {why}. For an authority of your own: --ca-file.",
        (
            "Le certificat de {host} n’est pas reconnu : {why}. Pour une autorité à vous :"
            " --ca-file."
        ),
    ),
    "wrong_password": (
        "{host} refuses the password of {jid}.",
        "{host} refuse le mot de passe de {jid}.",
    ),
    "no_login": (
        "{host} offers no login by SCRAM over TLS.",
        "{host} ne propose pas de connexion par SCRAM sous TLS.",
    ),
    "ended_by_server": (
        "{host} ended the session: {why}.",
        "{host} a mis fin à la session : {why}.",
    ),
    "absent": (
        "Nobody answers at {address}; a server says {seen}. Is the program online there?",
        "Personne ne répond à {address} ; un serveur dit {seen}. Le programme y est-il en ligne ?",
    ),
    "silent": (
        "{address} did not answer within a minute.",
        "{address} n’a pas répondu en une minute.",
    ),
    "not_permitted": (
        "{account} may not read {series} there: choose a series that it may read.",
        "{account} n’a pas le droit d’y lire {series} : choisissez une série qu’il peut lire.",
    ),
    "interrupted": (
        "The session ended before all was tried.",
        "La session s’est terminée avant la fin des essais.",
    ),
    "serving": (
        "{address} answers get_history and subscriptions of {series}. Ctrl-C ends it.",
        "{address} répond à get_history et aux abonnements pour {series}. Ctrl-C y met fin.",
    ),
    # Help
    "help_all": (
        "Checks whether a program speaks Quoalise, requirement by requirement.",
        "Vérifie qu’un programme parle Quoalise, exigence par exigence.",
    ),
    "help_epilog": (
        (
            "Exit status: 0 if nothing failed, 1 if a requirement failed, 2 if nothing could be"
            " tried. A deviation from a SHOULD is no failure."
        ),
        (
            "Code de retour : 0 si rien n’a échoué, 1 si une exigence a échoué, 2 si rien n’a pu"
            " être essayé. S’écarter d’un DEVRAIT n’est pas un échec."
        ),
    ),
    "help_server": (
        "ask a program as a reader does",
        "interroger un programme comme le fait un lecteur",
    ),
    "help_client": (
        "play the server that a client asks, and judge the client",
        "jouer le serveur qu’un client interroge, et juger le client",
    ),
    "help_address": (
        "the program to try: name@server (then at the resource quoalise) or a full address",
        "le programme à essayer : nom@serveur (ressource quoalise) ou une adresse complète",
    ),
    "help_account": (
        "the kit's own account: its subscription to the series ends",
        "le compte du programme d’essai : son abonnement à la série prend fin",
    ),
    "help_password": ("a file with its password", "un fichier avec son mot de passe"),
    "help_host": (
        "its server, where DNS does not say so",
        "son serveur, là où le DNS ne le dit pas",
    ),
    "help_port": ("its port (default: 5222)", "son port (par défaut : 5222)"),
    "help_ca": (
        "an authority to trust beside the system's (PEM)",
        "une autorité à reconnaître en plus de celles du système (PEM)",
    ),
    "help_direct": ("TLS at once, not by STARTTLS", "TLS d’emblée, sans STARTTLS"),
    "help_format": (
        "the form of the report (default: %(default)s)",
        "la forme du rapport (par défaut : %(default)s)",
    ),
    "help_series": ("a series that the account may read", "une série que le compte peut lire"),
    "help_foreign": (
        "a series of the program that the account may not read",
        "une série du programme que le compte n’a pas le droit de lire",
    ),
    "help_start": (
        "start of a range with records (default: two days before the end)",
        "début d’une période avec des relevés (par défaut : deux jours avant la fin)",
    ),
    "help_end": ("its end (default: now)", "sa fin (par défaut : maintenant)"),
    "help_listen": (
        "subscribe, and wait so long for a message; then up to 5 minutes for it to come again",
        (
            "s’abonner et attendre au plus ce temps un message, puis jusqu’à 5 minutes qu’il"
            " revienne"
        ),
    ),
    "help_wait": (
        "end after N requests (default: at Ctrl-C)",
        "terminer après N demandes (par défaut : à Ctrl-C)",
    ),
}
