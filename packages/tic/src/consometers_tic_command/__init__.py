"""The command `tic`: what a meter says, for people and for programs."""
