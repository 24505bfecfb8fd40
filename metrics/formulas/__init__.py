"""The arithmetic of every figure: pure functions over plain values, versioned per module."""
