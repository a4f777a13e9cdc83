"""Home Assistant as a source: its connection, its statistics, and the blocks made of them."""
