"""Accounts of people who log in on pages: passwords, sessions, and the administrators."""
