"""The base of all roles' pages: requests, sessions, templates, languages, listeners."""
