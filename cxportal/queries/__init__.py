"""Data for the staff pages that combine several apps."""
