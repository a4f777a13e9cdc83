"""What a node of either role does about the series that it grants to peers.

    consent             what is asked, shown and granted; words and faults are what people read
    online              all that goes on over one connection: answers, and a delivery for each peer
    ledger              blocks that are kept, and what is due of them to whom
    notices             what was decided, told until it is confirmed
    standing, pauses    how it stands with each peer, and what is held back
    export, erasure     all that is held; without it
    account, names      under which address, and which names

Where series come from is the role's: a household reads its home, a collective sums its members.
"""
