"""What the pages of all roles stand on: requests, sessions, templates, languages, listeners."""
