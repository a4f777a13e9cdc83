"""What the tables stand on: connections, declarations, types, files; SQLite and PostgreSQL alike."""
