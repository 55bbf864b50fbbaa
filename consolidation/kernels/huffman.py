"""Huffman codes, of a length that is limited, in the canonical order that deflate wants.

Code lengths by two queues (van Leeuwen, 1976): symbols sorted by frequency, and the pairs made of
them, which come out sorted by themselves. Where a code gets too long, frequencies are halved and
it is begun again, so that in the end all are alike. Only integers: the same codes everywhere.
"""

from __future__ import annotations

from consolidation.kernels._jit import counting_no_references as kernel


@kernel
def code_lengths(frequencies, limit, lengths, symbols, weights, parents):
    """Write the length of each symbol's code, 0 for symbols that do not occur.

    Parameters
    ----------
    frequencies : array (S,), int64
        At least one is not 0, and S <= 2 ** limit.
    limit : int
        Longest code, in bits.
    lengths : array (S,), uint8, out
        A single symbol gets one bit.
    symbols : array (S,), int64, scratch
    weights, parents : arrays (2 S,), int64, scratch
    """
    n = 0
    for symbol in range(frequencies.size):
        lengths[symbol] = 0
        if frequencies[symbol] > 0:
            symbols[n] = symbol
            n += 1
    if n == 1:
        lengths[symbols[0]] = 1
        return
    halvings = 0
    while True:
        _sort(frequencies, halvings, symbols[:n])
        for i in range(n):
            weights[i] = max(frequencies[symbols[i]] >> halvings, 1)
        _pair(n, weights, parents)
        # depths, from the root down: a parent comes after its children
        weights[2 * n - 2] = 0
        longest = 0
        for i in range(2 * n - 3, -1, -1):
            weights[i] = weights[parents[i]] + 1
            longest = max(longest, weights[i])
        if longest <= limit:
            break
        halvings += 1
    for i in range(n):
        lengths[symbols[i]] = weights[i]


@kernel
def _sort(frequencies, halvings, symbols):
    """Sort symbols by frequency, then by number: insertion, for they are few and half sorted."""
    for i in range(1, symbols.size):
        symbol = symbols[i]
        frequency = frequencies[symbol] >> halvings
        at = i
        while at > 0:
            other = frequencies[symbols[at - 1]] >> halvings
            if other < frequency or (other == frequency and symbols[at - 1] < symbol):
                break
            symbols[at] = symbols[at - 1]
            at -= 1
        symbols[at] = symbol


@kernel
def _pair(n, weights, parents):
    """Join the two lightest again and again; leaves 0 .. n - 1, the root is 2 n - 2."""
    leaf, node = 0, n
    for made in range(n, 2 * n - 1):
        total = 0
        for _ in range(2):
            if leaf < n and (node >= made or weights[leaf] <= weights[node]):
                lightest = leaf
                leaf += 1
            else:
                lightest = node
                node += 1
            parents[lightest] = made
            total += weights[lightest]
        weights[made] = total


@kernel
def codes(lengths, out, counts):
    """Write the canonical code of each symbol, its bits reversed: deflate sends the first first.

    Parameters
    ----------
    lengths : array (S,), uint8
        At most 15.
    out : array (S,), int64, out
    counts : array (17,), int64, scratch
    """
    for length in range(counts.size):
        counts[length] = 0
    for symbol in range(lengths.size):
        counts[lengths[symbol] + 1] += 1
    counts[1] = 0
    # counts[n + 1] becomes the first code of n bits (RFC 1951, 3.2.2)
    code, shorter = 0, 0
    for length in range(1, counts.size - 1):
        code = (code + shorter) << 1
        shorter = counts[length + 1]
        counts[length + 1] = code
    for symbol in range(lengths.size):
        length = lengths[symbol]
        if length == 0:
            continue
        code = counts[length + 1]
        counts[length + 1] += 1
        reverse = 0
        for _ in range(length):
            reverse = reverse << 1 | code & 1
            code >>= 1
        out[symbol] = reverse
