"""Large JSON: where its values begin and end, and lists of whole numbers without a parser."""

from __future__ import annotations

from numba import types

from consolidation.kernels._jit import kernel

_QUOTE, _BACKSLASH, _COMMA, _ZERO, _NINE, _AT = 34, 92, 44, 48, 57, 64
_OPEN_LIST, _CLOSE_LIST, _OPEN_OBJECT, _CLOSE_OBJECT = 91, 93, 123, 125

DEPTH, IN_STRING, ESCAPED, OPENED, STRING_START, STRING_END, LAST_START, LAST_END = range(8)
STATE = 8
"""Numbers that a search keeps from one window of a file to the next; start with zeros."""


@kernel
def _is_space(c):
    return c in (32, 10, 13, 9)


@kernel
def find_values(data, base, state, wanted, spans):
    """Find lists and objects that lie at depth `wanted`, and those that they lie in.

    Parameters
    ----------
    data : array (N,), uint8
        A window of the file.
    base : int
        Place in the file at which the window begins.
    state : array (STATE,), int64, in and out
    wanted : int
        Lists and objects around a value looked for: 1 or 2.
    spans : array (M, 5), int64, out
        Place of the first and behind the last byte; the depth; place of the first and behind the
        last byte of the text before it at depth 1, its key. What lies at lower depths than
        `wanted`, but for depth 0, is written when it opens, with an end of -1.

    Returns
    -------
    (int, int)
        Spans written, and bytes looked at: all, unless `spans` is full, or more ends than begins,
        which leaves a depth of -1.
    """
    n, i, size = types.int64(0), types.int64(0), data.size
    depth, opened = state[DEPTH], state[OPENED]
    while i < size:
        if state[IN_STRING]:
            if state[ESCAPED]:
                state[ESCAPED] = 0
                i += 1
                continue
            while i < size and data[i] != _QUOTE and data[i] != _BACKSLASH:
                i += 1
            if i == size:
                break
            if data[i] == _BACKSLASH:
                state[ESCAPED] = 1
            else:
                state[IN_STRING] = 0
                if depth == 1:
                    state[LAST_START], state[LAST_END] = state[STRING_START], base + i + 1
            i += 1
            continue
        # digits, commas and spaces are most of what there is
        while i < size and data[i] <= _NINE and data[i] != _QUOTE:
            i += 1
        if i == size:
            break
        c = data[i]
        if c == _QUOTE:
            state[IN_STRING] = 1
            state[STRING_START] = base + i
        elif c in (_OPEN_OBJECT, _OPEN_LIST):
            if depth == wanted:
                opened = base + i
            elif 0 < depth < wanted:
                if n == spans.shape[0]:
                    break
                spans[n, 0], spans[n, 1], spans[n, 2] = base + i, -1, depth
                spans[n, 3], spans[n, 4] = state[LAST_START], state[LAST_END]
                n += 1
            depth += 1
        elif c in (_CLOSE_OBJECT, _CLOSE_LIST):
            if depth == wanted + 1:
                if n == spans.shape[0]:
                    break
                spans[n, 0], spans[n, 1], spans[n, 2] = opened, base + i + 1, wanted
                spans[n, 3], spans[n, 4] = state[LAST_START], state[LAST_END]
                n += 1
            depth -= 1
            if depth < 0:
                break
        i += 1
    state[DEPTH], state[OPENED] = depth, opened
    return n, i


@kernel
def without_long_lists(data, least, text, lists):
    """Copy JSON, with long lists of whole numbers replaced by texts ``"@0"``, ``"@1"``, ...

    Parameters
    ----------
    data : array (N,), uint8
    least : int
        Bytes from which on a list is long; more than the text that replaces it.
    text : array (N,), uint8, out
    lists : array (M, 2), int64, out
        Places of the lists' contents; when it is full, lists are copied.

    Returns
    -------
    (int, int)
        Bytes and lists written.
    """
    i, n, k, size = types.int64(0), types.int64(0), types.int64(0), data.size
    in_string = False
    while i < size:
        c = data[i]
        text[n] = c
        n += 1
        i += 1
        if in_string:
            if c == _BACKSLASH and i < size:
                text[n] = data[i]
                n += 1
                i += 1
            elif c == _QUOTE:
                in_string = False
        elif c == _QUOTE:
            in_string = True
        elif c == _OPEN_LIST and k < lists.shape[0]:
            end = i
            while end < size and (
                _ZERO <= data[end] <= _NINE or data[end] == _COMMA or _is_space(data[end])
            ):
                end += 1
            if end < size and data[end] == _CLOSE_LIST and end - i >= least:
                text[n - 1], text[n] = _QUOTE, _AT
                n += 1
                digits, tens = k, types.int64(1)
                while digits >= 10:
                    digits //= 10
                    tens *= 10
                digits = k
                while tens:
                    text[n] = _ZERO + digits // tens
                    digits %= tens
                    tens //= 10
                    n += 1
                text[n] = _QUOTE
                n += 1
                lists[k, 0], lists[k, 1] = i, end
                k += 1
                i = end + 1
    return n, k


@kernel
def parse_integers(data, highest, out):
    """Read whole numbers with commas between them.

    Parameters
    ----------
    data : array (N,), uint8
    highest : int
        Largest number allowed, below 2**58.
    out : array (M,), any integers that hold `highest`, out

    Returns
    -------
    int
        Numbers written, or -1 less the place where there is something else, a larger number, or
        no room.
    """
    n, i, size = types.int64(0), types.int64(0), data.size
    while i < size and _is_space(data[i]):
        i += 1
    if i == size:
        return types.int64(0)
    while True:
        begin, number = i, types.int64(0)
        while i < size and _ZERO <= data[i] <= _NINE:
            number = number * 10 + (data[i] - _ZERO)
            if number > highest:
                return -1 - begin
            i += 1
        if i == begin or n == out.size:
            return -1 - begin
        out[n] = number
        n += 1
        while i < size and _is_space(data[i]):
            i += 1
        if i == size:
            return n
        if data[i] != _COMMA:
            return -1 - i
        i += 1
        while i < size and _is_space(data[i]):
            i += 1
