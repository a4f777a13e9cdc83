"""Text for people in several languages, and the French of all sentences."""
