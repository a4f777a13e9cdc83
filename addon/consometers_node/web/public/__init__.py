"""What anybody may see of a collective: pages, cards, walls, open data. Nothing is changed here."""
