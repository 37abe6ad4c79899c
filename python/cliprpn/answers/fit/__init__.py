"""Whether predicted boxes fit the coordinates that were said."""
