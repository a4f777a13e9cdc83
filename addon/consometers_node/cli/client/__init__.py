"""Commands of a plain client: they ask other nodes, and open no database of their own."""
