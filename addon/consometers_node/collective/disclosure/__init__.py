"""Statistical disclosure control: which sums of homes may be published. Pure."""
