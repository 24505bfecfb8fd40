"""Import of a bank's own files: read, map, check, report, and apply as a whole or not at all."""
