"""Files of Enedis or a supplier as the source of a home's data."""
