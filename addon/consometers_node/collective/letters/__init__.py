"""Letters of this collective to its members, through their nodes."""
