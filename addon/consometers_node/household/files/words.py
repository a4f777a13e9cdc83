"""What pages and commands say of a home's files."""

from consometers_enedis_files import Kind, Problem, Refusal
from consometers_node.household.words import SourceWords
from consometers_node.i18n.text import text

WORDS = SourceWords(
    introduction=text(
        "This node reads the files of energy that you bring, and keeps their data in your space."
    ),
    clock=text("Until then, the node does not read your files either."),
    reading=text("Reading your files:"),
    allowed=text(
        "Allowed. The node is now reading your files; it sends records as soon as the collective"
        " asks for them."
    ),
    missing=text(
        "Missing data is never sent as zero. Bring a file that has these days, and the node sends"
        " them."
    ),
    nothing=text("none of your files has it"),
    absurd=text(
        "A power that no home can draw is set aside: it would count energy that nobody used. Bring"
        " the file again, once the network operator has corrected it."
    ),
    backwards=text("A register that falls is another meter’s: the day of the change is missing."),
    statistic=text("Series of your files"),
    no_records=text(
        "No shared series is stored here: the node makes them of your files once you allow them."
    ),
    erasure=text(
        "This withdraws every permission, asks the collectives to erase the received data, and"
        " erases all records of this node and the files that you brought. The history of your"
        " permissions stays, as your proof. Sums already published stay."
    ),
    first_record=text(
        "Your files have no record of the last days. Those that you bring later leave once you have"
        " kept them."
    ),
    directions=text(
        "Your files give the direction of energy. If all that your panels produce is sold, what is"
        " fed in is their production: choose it here. Existing permissions do not change."
    ),
    according=text("according to your files"),
    none=text("You have brought no file yet."),
    gone=text("Your files no longer have {statistic}, or its direction changed: choose again."),
)

KINDS = {
    Kind.CURVE: text("load curve"),
    Kind.DAYS: text("energy of days"),
    Kind.REGISTERS: text("registers"),
}

REFUSALS = {
    Refusal.EMPTY: text("This file is empty."),
    Refusal.TOO_LARGE: text("This file is larger than 16 MB: ask for a shorter time."),
    Refusal.TOO_MANY_ROWS: text("This file has more than 300,000 lines: ask for a shorter time."),
    Refusal.DAMAGED: text("This file is damaged: download it again."),
    Refusal.ENCRYPTED: text("This file is protected by a password: save it without one."),
    Refusal.UNPACKS_TOO_LARGE: text(
        "What is inside this file is larger than 64 MB: take out the files of energy, and bring"
        " them one by one."
    ),
    Refusal.FORMULA: text(
        "This workbook has formulas, which are not computed here: bring the file as you got it, or"
        " save it as CSV."
    ),
    Refusal.EXTERNAL_LINK: text(
        "This workbook refers to another file: bring the file as you got it, or save it as CSV."
    ),
    Refusal.MACRO: text(
        "This workbook has macros: bring the file as you got it, or save it as CSV."
    ),
    Refusal.DOCUMENT_TYPE: text(
        "This workbook has parts that no file of energy has: bring the file as you got it, or save"
        " it as CSV."
    ),
    Refusal.UNKNOWN_FORM: text(
        "This is none of the known files of energy: a load curve, energies of days or registers of"
        " Enedis or EDF, as CSV, xlsx or zip."
    ),
    Refusal.NOTHING_READ: text(
        "The form of this file is known, but no line has an energy that can be read."
    ),
}
"""Why nothing of a file is taken, and what to do."""

PROBLEMS = {
    Problem.TIME_UNREADABLE: text("its time cannot be read"),
    Problem.TIME_OFF_STEP: text("its time does not continue the lines beside it"),
    Problem.TIME_SKIPPED: text("its hour is left out by the change to summer time"),
    Problem.VALUE_UNREADABLE: text("its value cannot be read"),
    Problem.VALUE_IMPLAUSIBLE: text("its value is not plausible"),
    Problem.REPEATED: text("its time comes twice, with another value"),
    Problem.REGISTER_FELL: text("the register fell: another meter counts from here on"),
    Problem.STEP_UNKNOWN: text("the length of its step is unknown"),
    Problem.UNIT_UNKNOWN: text("the unit of its table is unknown"),
    Problem.NO_ENERGY: text("its table has no energies"),
}
"""Why a line, or the table that it begins, is left out."""
