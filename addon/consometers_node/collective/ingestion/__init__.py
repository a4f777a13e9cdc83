"""Records of members on their way into the database, and their past."""
