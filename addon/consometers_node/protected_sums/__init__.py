"""Protected sums: totals of homes that a collective and a witness open only together. Pure.

    codes      what a witness gives to the households it knows
    masks      the key of a day, and reports whose values it masks
    opening    what a witness checks before it opens a sum
    requests   what a home and its witness write to each other

docs/protected-sums.md has the scheme, its assumptions and what it does not protect from.
"""
