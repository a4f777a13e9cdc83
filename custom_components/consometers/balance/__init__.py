"""What a whole home makes and consumes: its meter and its panels taken together."""
