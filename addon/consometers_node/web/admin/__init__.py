"""The administration of a collective: pages for those who run it, and nobody else."""
