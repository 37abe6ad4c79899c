"""Training sets of several datasets, without the images of evaluation splits."""
