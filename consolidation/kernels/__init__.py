"""Compiled loops: arrays in, arrays given to write into, no policy, no allocation, no I/O.

Every kernel has a slow, obvious twin in `tests/naive.py` and is compared with it.
"""
