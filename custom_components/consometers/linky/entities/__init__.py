"""The entities of a meter, from tables of its facts."""
