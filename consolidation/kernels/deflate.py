"""Tokens to a block of deflate with codes of its own (RFC 1951, 3.2.7).

The only distance is 1, so a match's length, the extra bits of that and its distance are always
sent together, and are one code here.
"""

from __future__ import annotations

from numba import types

from consolidation.kernels._jit import counting_no_references as kernel
from consolidation.kernels._words import store_word
from consolidation.kernels.huffman import code_lengths, codes
from consolidation.kernels.png_tokens import LITERALS, MAX_MATCH, MIN_MATCH

END = 256
"""Symbol of a block's end; those of match lengths follow."""
N_SYMBOLS, N_ORDERS = 286, 19
REPEAT, ZEROS, MANY_ZEROS = 16, 17, 18
"""Symbols of the code of code lengths: the one before 3 to 6 times, 3 to 10 zeros, 11 to 138."""
ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
HEADER_BYTES = 512
"""More than a block's header takes: 17 + 57 bits and at most 287 code lengths of 14 bits."""
N_SCRATCH = 2 * N_SYMBOLS


@kernel
def _symbol_of(length):
    """Symbol of a match's length, number of its extra bits, and these (RFC 1951, 3.2.5)."""
    if length == MAX_MATCH:
        return 285, 0, 0
    rest = length - MIN_MATCH
    if rest < 8:
        return 257 + rest, 0, 0
    extra = 0
    while rest >> extra >= 8:
        extra += 1
    # four symbols for each number of extra bits
    return 257 + 4 * extra + (rest >> extra), extra, rest & ((1 << extra) - 1)


@kernel
def plan(frequencies, lengths, bits, code, scratch):
    """Choose codes for tokens.

    Parameters
    ----------
    frequencies : array (N_TOKENS,), int64
        How often each token occurs.
    lengths : array (N_SYMBOLS,), uint8, out
        Length of each symbol's code.
    bits, code : arrays (N_TOKENS + 1,), int64, out
        Bits that each token takes, and these; the last are those of the block's end.
    scratch : array (6, N_SCRATCH), int64, scratch

    Returns
    -------
    int
        Bits of all tokens and the end.
    """
    symbols, symbol_codes = scratch[0, :N_SYMBOLS], scratch[1, :N_SYMBOLS]
    symbols[:] = 0
    symbols[END] = 1
    for token in range(frequencies.size):
        if token < LITERALS:
            symbols[token] += frequencies[token]
        else:
            symbols[_symbol_of(token - LITERALS + MIN_MATCH)[0]] += frequencies[token]
    code_lengths(symbols, 15, lengths, scratch[2, :N_SYMBOLS], scratch[3], scratch[4])
    codes(lengths, symbol_codes, scratch[5, :17])
    total = types.int64(lengths[END])
    for token in range(frequencies.size):
        if token < LITERALS:
            bits[token], code[token] = lengths[token], symbol_codes[token]
        else:
            symbol, extra, rest = _symbol_of(token - LITERALS + MIN_MATCH)
            length = types.int64(lengths[symbol])
            # one bit of 0 for the only distance
            bits[token] = length + extra + 1
            code[token] = symbol_codes[symbol] | rest << length
        total += frequencies[token] * bits[token]
    bits[frequencies.size], code[frequencies.size] = lengths[END], symbol_codes[END]
    return total


@kernel
def write_block(lengths, tokens, bits, code, final, out, buffered, n_buffered, scratch, orders):
    """Write a block.

    Parameters
    ----------
    lengths, bits, code
        As from `plan`.
    tokens : array (T,), uint16
    final : int
        1 for the last block of a stream, else 0.
    out : array (B,), uint8, out
        B >= HEADER_BYTES + the planned bits / 8 + 16.
    buffered : uint64
        Bits of the block before that did not fill a byte, and
    n_buffered : int
        how many.
    scratch : array (6, N_SCRATCH), int64, scratch
    orders : array (N_ORDERS,), uint8, scratch

    Returns
    -------
    (int, uint64, int)
        Bytes written, and the bits that do not fill another.
    """
    at, held, n_held = _header(lengths, final, out, buffered, n_buffered, scratch, orders)
    for i in range(tokens.size):
        token = tokens[i]
        held |= types.uint64(code[token]) << types.uint64(n_held)
        n_held += bits[token]
        # at most 21 bits a token: two fit
        if n_held >= 32:
            store_word(out, at, held)
            at += 4
            held >>= types.uint64(32)
            n_held -= 32
    end = bits.size - 1
    return _put(out, at, held, n_held, code[end], bits[end])


@kernel
def _put(out, at, held, n_held, value, n_bits):
    """Add at most 32 bits, and write what fills whole bytes."""
    held |= types.uint64(value) << types.uint64(n_held)
    n_held += n_bits
    store_word(out, at, held)
    whole = n_held >> 3
    return at + whole, held >> types.uint64(8 * whole), n_held - 8 * whole


@kernel
def _header(lengths, final, out, held, n_held, scratch, orders):
    """Write a block's code lengths, themselves in a code: literals, matches, and one distance."""
    n_symbols = N_SYMBOLS
    while n_symbols > 257 and lengths[n_symbols - 1] == 0:
        n_symbols -= 1
    items, extras = scratch[0], scratch[1]
    frequencies, order_codes = scratch[2, :N_ORDERS], scratch[2, N_ORDERS : 2 * N_ORDERS]
    frequencies[:] = 0
    # the one distance, of one bit, may share a run with the last symbols
    n_items, i = 0, 0
    while i <= n_symbols:
        length = types.int64(lengths[i]) if i < n_symbols else types.int64(1)
        run = 1
        while i + run <= n_symbols and length == (lengths[i + run] if i + run < n_symbols else 1):
            run += 1
        item, extra = length, 0
        if length == 0 and run >= 3:
            run = min(run, 138)
            item, extra = (ZEROS, run - 3) if run <= 10 else (MANY_ZEROS, run - 11)
        elif i > 0 and run >= 3 and length == lengths[i - 1]:
            run = min(run, 6)
            item, extra = REPEAT, run - 3
        else:
            run = 1
        items[n_items], extras[n_items] = item, extra
        frequencies[item] += 1
        n_items += 1
        i += run
    code_lengths(frequencies, 7, orders, scratch[3, :N_ORDERS], scratch[4], scratch[5])
    codes(orders, order_codes, scratch[3, :17])
    n_orders = N_ORDERS
    while n_orders > 4 and orders[ORDER[n_orders - 1]] == 0:
        n_orders -= 1
    at = 0
    # dynamic codes are kind 2; the counts of literals, of distances and of the codes' own lengths
    at, held, n_held = _put(out, at, held, n_held, final | 2 << 1, 3)
    at, held, n_held = _put(out, at, held, n_held, n_symbols - 257, 5)
    at, held, n_held = _put(out, at, held, n_held, (n_orders - 4) << 5, 9)
    for i in range(n_orders):
        at, held, n_held = _put(out, at, held, n_held, orders[ORDER[i]], 3)
    for i in range(n_items):
        item = items[i]
        at, held, n_held = _put(out, at, held, n_held, order_codes[item], orders[item])
        if item == REPEAT:
            at, held, n_held = _put(out, at, held, n_held, extras[i], 2)
        elif item == ZEROS:
            at, held, n_held = _put(out, at, held, n_held, extras[i], 3)
        elif item == MANY_ZEROS:
            at, held, n_held = _put(out, at, held, n_held, extras[i], 7)
    return at, held, n_held
