"""Commands of a collective: members, needs, invitations, publication."""
