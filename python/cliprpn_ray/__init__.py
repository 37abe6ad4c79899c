"""The driver of `--engine ray`: the standard library and Ray only, so that the cluster's interpreter can run it."""
