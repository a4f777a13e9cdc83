"""Records: their metadata, values and identifiers, as messages, histories and documents."""
