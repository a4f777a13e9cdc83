"""The history of a meter from another integration: found, joined, taken out again."""
