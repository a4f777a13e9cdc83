"""Home Assistant's long-term statistics of energies: reading, writing, raising them."""
