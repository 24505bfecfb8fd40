"""Figures of any part of the bank, in any period, after the gate."""
