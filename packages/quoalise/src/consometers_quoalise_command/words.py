"""What the command says, in the two languages of its users."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from consometers_quoalise import Number


class Language(StrEnum):
    """A language that the command speaks."""

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
    words = {name: _in_words(fact, language) for name, fact in facts.items()}
    return (french if language is Language.FRENCH else english).format(**words)


def decimal(value: Number, language: Language) -> str:
    """Return a number as people of a language write it: with a comma in French."""
    return str(value).replace(".", ",") if language is Language.FRENCH else str(value)


def _in_words(fact: object, language: Language) -> object:
    return decimal(fact, language) if isinstance(fact, float) else fact


def has(key: str) -> bool:
    """Return whether there are words for a code of the protocol."""
    return key in WORDS


WORDS: Final = {
    # help; argparse writes a colon after titles
    "description": (
        "Reads the series of other nodes that speak Quoalise, energy data over XMPP.",
        "Lit les séries d’autres nœuds qui parlent Quoalise : des données d’énergie par XMPP.",
    ),
    "epilog": (
        (
            "Exit status: 0 for success, 1 for a failure, which a message explains, 2 for wrong"
            " usage, 130 for Ctrl-C."
        ),
        (
            "Code de retour : 0 en cas de succès, 1 pour un échec, qu’un message explique, 2 pour"
            " une erreur d’utilisation, 130 pour Ctrl-C."
        ),
    ),
    "usage": ("usage: ", "utilisation : "),
    "commands": ("commands", "commandes "),
    "arguments": ("arguments", "arguments "),
    "options": ("options", "options "),
    "account": ("account", "compte "),
    "COMMAND": ("COMMAND", "COMMANDE"),
    "COLLECTIVE": ("COLLECTIVE", "COLLECTIF"),
    "FILE": ("FILE", "FICHIER"),
    "TIME": ("TIME", "HEURE"),
    "HOST": ("HOST", "HÔTE"),
    "help": ("show this help", "afficher cette aide"),
    "list": ("list the readable series", "lister les séries accessibles"),
    "list_details": (
        "A node lists what this account may read of it.",
        "Un nœud liste ce que ce compte peut lire chez lui.",
    ),
    "history": ("get past records of a series", "obtenir les relevés passés d’une série"),
    "history_details": (
        (
            "Without --start and --end: the last 24 hours. Long periods are requested page by page;"
            " a file is written only once complete."
        ),
        (
            "Sans --start ni --end : les dernières 24 heures. Les longues périodes sont demandées"
            " page par page ; un fichier n’est écrit qu’une fois complet."
        ),
    ),
    "listen": ("print new records as they come", "écrire les nouveaux relevés à mesure"),
    "listen_details": (
        (
            "Records go to the account, whichever program subscribed it. Printed records are"
            " acknowledged and are not sent again: another program of the same account may miss"
            " them. Give listen an account of its own."
        ),
        (
            "Les relevés vont au compte, quel que soit le programme qui l’a abonné. Les relevés"
            " écrits sont confirmés et ne sont pas renvoyés : un autre programme du même compte"
            " peut les manquer. Donnez à listen un compte à lui."
        ),
    ),
    "subscribe": (
        "subscribe to new records of a series",
        "s’abonner aux nouveaux relevés d’une série",
    ),
    "subscribe_details": (
        (
            "They are sent to the account's bare address until you unsubscribe; records that nobody"
            " receives are sent again later."
        ),
        (
            "Ils sont envoyés à l’adresse nue du compte jusqu’au désabonnement ; ceux que personne"
            " ne reçoit sont renvoyés plus tard."
        ),
    ),
    "unsubscribe": ("unsubscribe from a series", "se désabonner d’une série"),
    "unsubscribe_details": (
        "Records that were sent before stay with their receiver.",
        "Les relevés déjà envoyés restent chez leur destinataire.",
    ),
    "needs": (
        "show what data a collective requests from homes",
        "montrer les données qu’un collectif demande aux foyers",
    ),
    "needs_details": (
        "Nothing is granted: only the node of a home can answer.",
        "Rien n’est accordé : seul le nœud d’un foyer peut répondre.",
    ),
    "peer_help": (
        "the XMPP address of the node to ask, such as name@server",
        "l’adresse XMPP du nœud à interroger, par exemple nom@serveur",
    ),
    "collective_help": (
        "the XMPP address of the collective, or its invitation (xmpp:…)",
        "l’adresse XMPP du collectif, ou son invitation (xmpp:…)",
    ),
    "series_help": (
        "the identifier of the series, as “quoalise list” shows it",
        "l’identifiant de la série, tel que « quoalise list » le montre",
    ),
    "start_help": (
        "start: a date or a time in ISO 8601, local without an offset",
        "début : une date ou une heure ISO 8601, locale sans décalage",
    ),
    "end_help": (
        "end; records at that exact time are excluded",
        "fin ; les relevés de cette heure exacte sont exclus",
    ),
    "format_help": (
        (
            "a table (the default); one JSON object; time,value,unit,identifier; or <quoalise>. The"
            " suffix of --output chooses it too"
        ),
        (
            "un tableau (par défaut) ; un objet JSON ; time,value,unit,identifier ; ou <quoalise>."
            " L’extension de --output le choisit aussi"
        ),
    ),
    "output_help": (
        "write to this file, readable only by you",
        "écrire dans ce fichier, que vous seul pouvez lire",
    ),
    "count_help": (
        "stop after N records; the last message is printed in full",
        "s’arrêter après N relevés ; le dernier message est écrit en entier",
    ),
    "from_help": (
        "print only the records of this node; the others are sent again later",
        "n’écrire que les relevés de ce nœud ; les autres seront renvoyés plus tard",
    ),
    "json_help": (
        "print JSON, for programs; errors too",
        "écrire du JSON, pour les programmes ; les erreurs aussi",
    ),
    "account_help": (
        "the XMPP account that asks, name@server",
        "le compte XMPP qui demande, nom@serveur",
    ),
    "password_file_help": (
        (
            "a file whose first line is the password; - is the standard input. Without this option:"
            " the variable PASSWORD, or a prompt"
        ),
        (
            "un fichier dont la première ligne est le mot de passe ; - est l’entrée standard. Sans"
            " cette option : la variable PASSWORD, ou une saisie"
        ),
    ),
    "host_help": (
        "the address of the account's server, to override DNS",
        "l’adresse du serveur du compte, à la place du DNS",
    ),
    "port_help": (
        "its port: 5222, or 5223 with --security direct",
        "son port : 5222, ou 5223 avec --security direct",
    ),
    "security_help": (
        "the encryption mode: automatic, at once, or within the stream (default: %(default)s)",
        (
            "le mode de chiffrement : automatique, d’emblée ou dans le flux (par défaut :"
            " %(default)s)"
        ),
    ),
    "ca_file_help": (
        "the certificate authority of a private server (PEM)",
        "l’autorité de certification d’un serveur privé (PEM)",
    ),
    # wrong usage
    "explains": (
        "“{command} --help” explains how.",
        "« {command} --help » explique comment faire.",
    ),
    "missing_argument": ("Missing: {a}.", "Il manque : {a}."),
    "extra_argument": ("Unexpected arguments: {a}.", "Arguments en trop : {a}."),
    "not_a_choice": ("{a}: “{b}” is not one of {c}.", "{a} : « {b} » n’est pas l’un de {c}."),
    "missing_value": ("{a} requires a value.", "Il manque la valeur de {a}."),
    "not_a_value": ("{a}: “{b}” is no such value.", "{a} : « {b} » n’est pas une valeur possible."),
    "not_a_series": (
        (
            "“{typed}” is not the identifier of a series: write one such as urn:dev:…, as “quoalise"
            " list” shows it."
        ),
        (
            "« {typed} » n’est pas l’identifiant d’une série : écrivez-en un, du genre urn:dev:…,"
            " tel que « quoalise list » le montre."
        ),
    ),
    "not_a_time": (
        (
            "{option}: “{typed}” is neither a date nor a time: write 2026-01-31, 2026-01-31T18:00"
            " or 2026-01-31T18:00+01:00."
        ),
        (
            "{option} : « {typed} » n’est ni une date ni une heure : écrivez 2026-01-31,"
            " 2026-01-31T18:00 ou 2026-01-31T18:00+01:00."
        ),
    ),
    "out_of_time": (
        "{option}: “{typed}” is before 1978-07-05 or after 2099: correct the year.",
        "{option} : « {typed} » est avant le 1978-07-05 ou après 2099 : corrigez l’année.",
    ),
    "backwards": (
        "The range ends before it begins: exchange --start and --end.",
        "La période finit avant de commencer : échangez --start et --end.",
    ),
    "two_formats": (
        "--format {format} is another format than --json: choose one.",
        "--format {format} est un autre format que --json : choisissez-en un.",
    ),
    "no_format": (
        "--output {file} does not end with .json, .csv or .xml: add --format.",
        "--output {file} ne finit pas par .json, .csv ou .xml : ajoutez --format.",
    ),
    "a_folder": (
        "--output {file} is a folder: name a file.",
        "--output {file} est un dossier : nommez un fichier.",
    ),
    # this computer
    "no_extra": (
        "quoalise needs {module}: install consometers-quoalise[command].",
        "quoalise a besoin de {module} : installez consometers-quoalise[command].",
    ),
    "ask_password": ("Password of {jid}: ", "Mot de passe de {jid} : "),
    "no_password": (
        "No password was given for {jid}: set the variable PASSWORD, or use --password-file.",
        (
            "Aucun mot de passe n’a été donné pour {jid} : définissez la variable PASSWORD, ou"
            " utilisez --password-file."
        ),
    ),
    "file": ("{file} cannot be used: {why}.", "{file} est inutilisable : {why}."),
    "no_such_file": ("there is no such file or folder", "ce fichier ou dossier n’existe pas"),
    "not_permitted": ("this is not permitted to you", "vous n’en avez pas le droit"),
    "is_a_folder": ("this is a folder", "c’est un dossier"),
    "folder_is_a_file": ("its folder is a file", "son dossier est un fichier"),
    "name_too_long": ("its name is too long", "son nom est trop long"),
    "disk_full": ("the disk is full", "le disque est plein"),
    "read_only": ("the disk is read-only", "le disque est en lecture seule"),
    # the network
    "unreachable": (
        (
            "The server {host} cannot be reached ({why}): check the network and the address; use"
            " --host and --port if DNS does not give its address."
        ),
        (
            "Le serveur {host} est injoignable ({why}) : vérifiez le réseau et l’adresse ; utilisez"
            " --host et --port si le DNS ne donne pas son adresse."
        ),
    ),
    "interrupted": (
        "The server {host} closed the connection ({why}): try again.",
        "Le serveur {host} a fermé la connexion ({why}) : réessayez.",
    ),
    "certificate-refused": (
        (
            "The server {host} does not prove its identity ({why}). For a private server, give the"
            " file of its certificate authority with --ca-file; otherwise warn its operator."
        ),
        (
            "Le serveur {host} ne prouve pas son identité ({why}). Pour un serveur privé, donnez le"
            " fichier de son autorité de certification avec --ca-file ; sinon, prévenez son"
            " exploitant."
        ),
    ),
    "not-encrypted": (
        "The server {host} offers no encryption: nothing was sent. Choose another server.",
        (
            "Le serveur {host} ne propose pas de chiffrement : rien n’a été envoyé. Choisissez un"
            " autre serveur."
        ),
    ),
    "temporary-failure": (
        "The server {host} accepts no login at the moment: try again later.",
        "Le serveur {host} n’accepte aucune connexion en ce moment : réessayez plus tard.",
    ),
    "wrong-password": (
        "The server refuses the address {jid} with this password: correct one of them.",
        "Le serveur refuse l’adresse {jid} avec ce mot de passe : corrigez l’un des deux.",
    ),
    "account-disabled": (
        "The account {jid} is closed: ask the operator of the server.",
        "Le compte {jid} est fermé : demandez à l’exploitant du serveur.",
    ),
    "no-login": (
        (
            "The server {host} offers no login that protects the password (SCRAM). Choose another"
            " server."
        ),
        (
            "Le serveur {host} ne propose aucune connexion qui protège le mot de passe (SCRAM)."
            " Choisissez un autre serveur."
        ),
    ),
    "taken-over": (
        "Another program now uses the address {jid}: stop one of them, then start this one again.",
        (
            "Un autre programme utilise maintenant l’adresse {jid} : arrêtez l’un d’eux, puis"
            " relancez celui-ci."
        ),
    ),
    "no-answer": (
        "{peer} did not answer: try again later.",
        "{peer} n’a pas répondu : réessayez plus tard.",
    ),
    "not-an-address": (
        "“{found}” is not an XMPP address: write name@server.",
        "« {found} » n’est pas une adresse XMPP : écrivez nom@serveur.",
    ),
    "not-alink": (
        "This is not an invitation of a collective: it must contain ?consometers-join;token=",
        "Ceci n’est pas l’invitation d’un collectif : elle doit contenir ?consometers-join;token=",
    ),
    # what a peer answers
    "waiting": (
        "{peer} limits the number of requests: next attempt in {seconds} s.",
        "{peer} limite le nombre de requêtes : nouvel essai dans {seconds} s.",
    ),
    "refuses": ("{peer} refuses: {words}", "{peer} refuse : {words}"),
    "upstream": (
        "The source of {peer}'s data ({issuer}) refuses, with the code {code}: {words}",
        "La source des données de {peer} ({issuer}) refuse, avec le code {code} : {words}",
    ),
    "unreadable": (
        "The answer of {peer} cannot be read ({code}, at {place}): inform its operator.",
        "La réponse de {peer} est illisible ({code}, en {place}) : prévenez son exploitant.",
    ),
    "offline": (
        "{peer} is offline: its node is not running, or the address is wrong.",
        "{peer} est hors ligne : son nœud ne tourne pas, ou l’adresse est fausse.",
    ),
    "no_server": (
        "The server of {peer} cannot be reached from yours: check the address, or try later.",
        (
            "Le serveur de {peer} est injoignable depuis le vôtre : vérifiez l’adresse, ou"
            " réessayez plus tard."
        ),
    ),
    "not-authorized": (
        "There is no permission to read this: ask for it, or ask for less.",
        "Aucune autorisation ne permet de lire cela : demandez-la, ou demandez moins.",
    ),
    "item-not-found": (
        "There is no such series: “quoalise list” shows those that you may read.",
        "Cette série n’existe pas : « quoalise list » montre celles que vous pouvez lire.",
    ),
    "resource-constraint": (
        "Too many requests: wait a minute, then try again.",
        "Trop de demandes : attendez une minute, puis réessayez.",
    ),
    "bad-request": (
        "It cannot answer this: ask for a shorter range.",
        "Il ne peut pas y répondre : demandez une période plus courte.",
    ),
    "upstream-error": ("The source gives no reason.", "La source ne donne pas de raison."),
    "other-condition": ("It answered {condition}.", "Il a répondu {condition}."),
    # what was asked for
    "asking": ("Asking {peer}", "Demande à {peer}"),
    "no_series": (
        "{peer} shares no series with you.",
        "{peer} ne partage aucune série avec vous.",
    ),
    "subscribed": (
        (
            "{peer} sends new records of {series} to {jid} from now on: “quoalise listen”, or"
            " another program of that account, receives them."
        ),
        (
            "{peer} envoie désormais à {jid} les nouveaux relevés de {series} : « quoalise"
            " listen », ou un autre programme de ce compte, les reçoit."
        ),
    ),
    "unsubscribed": (
        "{peer} no longer sends {series} to {jid}.",
        "{peer} n’envoie plus {series} à {jid}.",
    ),
    "listening": (
        "Listening as {jid}; Ctrl-C ends it.",
        "À l’écoute en tant que {jid} ; Ctrl-C y met fin.",
    ),
    "no_record": (
        "{peer} has no record of {series} from {start} to {end}.",
        "{peer} n’a aucun relevé de {series} du {start} au {end}.",
    ),
    "summary": (
        (
            "{count} records of {series}, from {first} to {last}: lowest {low}, mean {mean},"
            " highest {high}{unit}."
        ),
        (
            "{count} relevés de {series}, du {first} au {last} : minimum {low}, moyenne {mean},"
            " maximum {high}{unit}."
        ),
    ),
    "missing": (
        "Missing in between: {count} (one record expected every {interval}).",
        "Manquants dans l’intervalle : {count} (un relevé attendu par {interval}).",
    ),
    "left_out": (
        "{count} are not shown: --output FILE.csv has all of them.",
        "{count} ne sont pas montrés : --output FICHIER.csv les a tous.",
    ),
    "incomplete": (
        "The range is not complete, so nothing was written: records had come up to {time}.",
        (
            "La période n’est pas complète, donc rien n’a été écrit : des relevés étaient venus"
            " jusqu’à {time}."
        ),
    ),
    "written": ("{count} records are in {file}.", "{count} relevés sont dans {file}."),
    "metadata_changes": (
        (
            "The description of the records changes at {time}, and a <quoalise> element has only"
            " one: request XML up to that time, then from that time, or request JSON."
        ),
        (
            "La description des relevés change à {time}, et un <quoalise> n’en porte qu’une :"
            " demandez le XML jusqu’à cette heure, puis à partir de cette heure, ou du JSON."
        ),
    ),
    "start": ("Start of the interval", "Début de l’intervalle"),
    "value": ("Value", "Valeur"),
    # columns of a list
    "identifier": ("Identifier", "Identifiant"),
    "interval": ("Interval", "Pas de temps"),
    "unit": ("Unit", "Unité"),
    "first": ("First record", "Premier relevé"),
    "last": ("Last record", "Dernier relevé"),
    "device": ("Device", "Appareil"),
    "name": ("Name", "Nom"),
    "shares": ("Your shares", "Vos parts"),
    "total_shares": ("Shares in all", "Parts en tout"),
    "local_price": ("Price between members (c€/kWh)", "Prix entre membres (c€/kWh)"),
    "grid_price": ("Price from the grid (c€/kWh)", "Prix du réseau (c€/kWh)"),
    "challenge_fr": ("Challenge, in French", "Défi, en français"),
    "challenge_en": ("Challenge, in English", "Défi, en anglais"),
    "challenge_from": ("First day", "Premier jour"),
    "challenge_to": ("Last day", "Dernier jour"),
    "objective": ("Objective (% less)", "Objectif (% de moins)"),
    "participant": ("Participant", "Participant"),
    "participants": ("Participants", "Participants"),
    "change": ("Change (%)", "Évolution (%)"),
    "change_low": ("Change, at least (%)", "Évolution, au moins (%)"),
    "change_high": ("Change, at most (%)", "Évolution, au plus (%)"),
    "rank_first": ("Best rank", "Meilleur rang"),
    "rank_last": ("Worst rank", "Moins bon rang"),
    # data requests
    "no_needs": (
        "{peer} requests nothing from homes at the moment.",
        "{peer} ne demande rien aux foyers en ce moment.",
    ),
    "need": ("{title} ({id}, version {version})", "{title} ({id}, version {version})"),
    "fact": ("  {name}: {fact}", "  {name} : {fact}"),
    "controller": ("Controller", "Responsable du traitement"),
    "contact": ("Contact", "Contact"),
    "policy": ("Data policy", "Politique de données"),
    "asked_series": ("Series", "Séries"),
    "past": ("Past records", "Relevés passés"),
    "duration": ("Valid for", "Valable pendant"),
    "retention": ("Kept after the end", "Conservation après la fin"),
    "identification": ("Homes known by", "Foyers connus par"),
    "reading": ("Reading", "Lecture"),
    "recipients": ("Recipients", "Destinataires"),
    "witness": ("Witness", "Témoin"),
    "witness_facts": (
        "{name}, {jid}, {url} (at least {minimum} homes)",
        "{name}, {jid}, {url} (au moins {minimum} foyers)",
    ),
}
"""English, French. Conditions and codes are those of the protocol, columns those of its answer."""
