"""A collective's public pages: pages, cards, walls, open data. Nothing is changed here."""
