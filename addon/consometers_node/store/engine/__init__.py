"""What tables stand on: connections, declarations, types, files, in SQLite and PostgreSQL."""
