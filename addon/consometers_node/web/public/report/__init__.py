"""Reports of a month or a year: of the public buildings, and of all members."""
