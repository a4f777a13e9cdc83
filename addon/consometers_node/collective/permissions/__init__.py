"""What is asked of members, and what they granted."""
