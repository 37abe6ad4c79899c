"""Files of answers of any layout as records."""
