"""The show house: a home, its meter and its panels, to look at and to test against."""
