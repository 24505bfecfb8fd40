"""Arithmetic of the indicators: pure, no Django."""
