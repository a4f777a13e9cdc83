"""The history of a meter that another integration counted: found, joined, taken out again."""
