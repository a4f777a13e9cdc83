"""Ingestion of members' records, and of their past."""
