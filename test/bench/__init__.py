"""What the benchmarks run in Python, as `python -m bench.NAME` with python/ and test/ on the path; JSON on stdout."""
