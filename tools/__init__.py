"""Programs for developers, and for people who wire a dongle."""
