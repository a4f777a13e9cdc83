"""What a home alone stores: coverage, enrolments, plants, imported series."""
