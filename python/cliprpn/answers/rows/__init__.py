"""What each record of a file says."""
