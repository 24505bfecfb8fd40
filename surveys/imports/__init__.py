"""The import of answers that were given elsewhere, so that a bank starts with its history."""
