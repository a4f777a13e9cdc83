"""Protected sums: totals of homes that a collective and a witness open only together. Pure.

    codes      what a witness gives to the households it knows
    field      elements, and polynomials by their values
    xof        elements from a seed
    flp        proofs that shared elements satisfy equations
    keys       the key of a day, which home and witness share
    reports    reports that prove their values to servers that read none
    opening    what a witness checks before it opens a sum
    requests   what a home and its witness write to each other

docs/protected-sums-specification.md has the scheme, docs/protected-sums-security.md its assumptions
and what it does not protect from.
"""
