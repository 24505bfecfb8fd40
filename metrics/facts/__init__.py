"""The only reader of raw rows: what was answered, who was asked, who belongs where."""
