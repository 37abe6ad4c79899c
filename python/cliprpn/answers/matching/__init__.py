"""Which expression of a split each row answers."""
