"""Protected sums: totals of homes that a collective and a witness open only together. Pure.

    errors     why something is refused, as codes
    codes      what a witness gives to the households it knows
    field      elements, and polynomials by their values
    xof        elements from a seed
    flp        proofs that shared elements satisfy equations
    keys       the key of a day, which home and witness share
    reports    reports that prove their values to servers that read none
    exchange   what a collective and its witness say about reports
    opening    what a witness checks before it opens a sum
    heads      by them homes see that their witness was set back
    pooling    groups that fail a rule of disclosure control, put together until they pass
    keyed_draw numbers drawn from a secret, the same each time

docs/protected-sums-specification.md has the scheme, docs/protected-sums-security.md its assumptions
and what it does not protect from.
"""
