"""The command `quoalise`: the series of other nodes, for people and for programs."""
