"""Statistics of a prepared dataset, shown by `dataset show` and `dataset check`."""
