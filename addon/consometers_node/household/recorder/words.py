"""What pages say of Home Assistant as the source of a home's data."""

from consometers_node.household.words import SourceWords
from consometers_node.i18n.text import text

WORDS = SourceWords(
    introduction=text(
        "This node reads the energy data of your Home Assistant, and keeps it in your home."
    ),
    clock=text("Until then, the node does not read Home Assistant either."),
    reading=text("Reading the history from Home Assistant:"),
    allowed=text(
        "Allowed. The node is now reading your history from Home Assistant; it sends records as"
        " soon as the collective asks for them."
    ),
    missing=text(
        "Missing data is never sent as zero. The node reads it again for some days, and sends it"
        " if Home Assistant has it later."
    ),
    nothing=text("Home Assistant has nothing of it"),
    absurd=text(
        "A jump that no home can cause is set aside: it would count energy that nobody used. "
        "It comes with another meter, or a wrong reading. "
        "Correct it in Home Assistant under Settings → Tools → Statistics."
    ),
    backwards=text(
        "A total that goes backwards is set aside: energy does not come back. "
        "It comes with another meter, or a wrong reading. "
        "Correct it in Home Assistant under Settings → Tools → Statistics."
    ),
    statistic=text("Statistic in Home Assistant"),
    no_records=text(
        "No records are stored here: the node only reads the shared series from Home Assistant."
    ),
    erasure=text(
        "This withdraws every permission, asks the collectives to erase the received data, and"
        " erases all records of this node. Home Assistant keeps its own. The history of your"
        " permissions stays, as your proof. Sums already published stay."
    ),
    first_record=text(
        "No record of the last days yet. The first would leave once Home Assistant has measured a"
        " whole interval."
    ),
    directions=text(
        "Home Assistant’s Energy dashboard gives the direction of most statistics. If it is missing"
        " or wrong, choose it here. Existing permissions do not change."
    ),
    according=text("according to Home Assistant"),
    none=text("Home Assistant has no statistic of energy or power."),
    gone=text("Home Assistant no longer has {statistic}, or its direction changed: choose again."),
)
