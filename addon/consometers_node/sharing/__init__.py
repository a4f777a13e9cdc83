"""How a node of either role shares the series that it grants to peers.

    service                 what goes on over one connection: answers, and a delivery for each peer
    consent, consent_text   what is asked, shown and granted, and the words that people read
    due_records             blocks that are stored, and what is due of them to whom
    record_messages, fanout the messages that carry due records, and their sending
    decision_delivery       what was decided, sent until it is confirmed
    status, restriction     the state of sharing with each peer, and what is held back
    export                  all that is held, and its erasure
    access_requests         what a collective holds of this node, asked for and checked
    account, names          under which address, and which names

Where series come from is the role's: a household reads its home, a collective sums its members.
"""
