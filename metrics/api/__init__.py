"""Figures for machines and scripts: after the gate, one row per unit and metric."""

from metrics.api.indicators import ClientIndicators, Indicators

__all__ = ["ClientIndicators", "Indicators"]
