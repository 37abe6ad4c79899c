"""The Python parts of the benchmarks: `python -m bench.NAME`, with python/ and test/ on the path; print JSON."""
