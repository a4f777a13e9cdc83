"""The rights of members: erasure, access, and the record of processing."""
