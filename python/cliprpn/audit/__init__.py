"""Whether a model reads the expression: its answers to changed expressions."""
