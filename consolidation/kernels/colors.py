"""Colours to class indices: by palette index, or by colour with a small hash table."""

from __future__ import annotations

from numba import types

from consolidation.kernels._jit import kernel


@kernel
def lookup(indices, table, out):
    """out[p] = table[indices[p]]: indices (N,) uint8, table (256,), out (N,)."""
    for p in range(indices.size):
        out[p] = table[indices[p]]


@kernel
def free_slot(keys, key):
    """Slot of `key` in an open-addressed table of keys, or the free one where it belongs."""
    last = types.uint64(keys.size - 1)
    mixed = types.uint64(key) * types.uint64(0x9E3779B97F4A7C15)
    slot = (mixed >> types.uint64(32)) & last
    while keys[slot] >= 0 and keys[slot] != key:
        slot = (slot + types.uint64(1)) & last
    return types.int64(slot)


@kernel
def map_colors(colors, start, keys, table, counts, out):
    """Write the value of each pixel's colour, and count pixels by colour.

    Parameters
    ----------
    colors : array (N, 3 or 4), uint8
        RGB or RGBA.
    start : int
        First pixel.
    keys : array (size a power of two,), int64
        Known colours as R + 256 G + 65536 B + 16777216 A; -1 is free.
    table : array (size,), dtype of `out`
        Value of each colour.
    counts : array (size,), int64, in and out
    out : array (N,), out

    Returns
    -------
    (int, int)
        N and 0, or the first pixel whose colour is not known and the slot where it belongs.
    """
    n, channels = colors.shape
    last_key, slot = types.int64(-1), types.int64(0)
    run_start = start
    value = table[0]
    for p in range(start, n):
        key = types.int64(colors[p, 0]) | types.int64(colors[p, 1]) << 8
        key |= types.int64(colors[p, 2]) << 16
        key |= types.int64(colors[p, 3]) << 24 if channels == 4 else types.int64(255) << 24
        if key != last_key:
            if last_key >= 0:
                counts[slot] += p - run_start
            run_start = p
            last_key = key
            slot = free_slot(keys, key)
            if keys[slot] != key:
                return p, slot
            value = table[slot]
        out[p] = value
    if last_key >= 0:
        counts[slot] += n - run_start
    return n, types.int64(0)
