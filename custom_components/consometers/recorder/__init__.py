"""Home Assistant's long-term statistics of energies: read, written, and raised from an hour on."""
