"""Data needs and their answers: read, previewed, decided, delivered, renewed."""
