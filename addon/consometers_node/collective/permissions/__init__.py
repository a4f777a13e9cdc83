"""The data needs of a collective, and the permissions of its members."""
