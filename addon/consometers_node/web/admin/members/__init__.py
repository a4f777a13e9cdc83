"""Pages about members: their list, each of them, invitations, codes, and what a person decides."""
