"""XML of limited size, parsed and read with types; data forms; fragments as they came."""
