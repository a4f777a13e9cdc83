"""What pages and commands say of the source of a home's data."""

from dataclasses import dataclass

from consometers_node.i18n.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceWords:
    """Sentences that name the source, each with the place where it stands."""

    introduction: Text
    """What the node does, before anything is shared."""
    clock: Text
    """What the node leaves while its clock is in doubt."""
    reading: Text
    """Beside the progress of the history."""
    allowed: Text
    """After a permission."""
    missing: Text
    """Above a list of missing days."""
    nothing: Text
    """Why a day is missing, where no other reason is known."""
    absurd: Text
    """What to do about a value that no home can use."""
    backwards: Text
    """The same for a total that fell."""
    statistic: Text
    """The name of a series' device."""
    no_records: Text
    """In place of stored series."""
    erasure: Text
    """What the erasure of everything does."""
    first_record: Text
    """In place of a preview without records."""
    directions: Text
    """Above the directions of statistics."""
    according: Text
    """Beside the direction that the source says."""
    none: Text
    """In place of statistics."""
    gone: Text
    """A statistic that was there before: {statistic}."""
