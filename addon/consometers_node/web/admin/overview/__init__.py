"""The first page: problems, first steps, and the coverage of granted records."""
