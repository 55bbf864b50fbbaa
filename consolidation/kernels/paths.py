"""Cheapest ways over a picture: Dijkstra's algorithm on the grid of its pixels, 8 neighbours.

The live-wire between two points (Mortensen and Barrett 1995, section 3) and geodesic distances
from a click are the same search. A step from one pixel to the next costs its length times the
mean of the two pixels' costs. The heap knows where each pixel stands, so that no pixel is in it
twice.
"""

from __future__ import annotations

import math

from consolidation.kernels._jit import kernel

DIAGONAL = math.sqrt(2.0)
NOWHERE = -1
"""Parent of a pixel that no way leads to, and of one where a way begins."""


@kernel
def _up(heap, position, distance, at):
    """Move an entry of the heap to where its distance belongs, towards the top."""
    node = heap[at]
    while at > 0:
        above = (at - 1) >> 1
        if distance[heap[above]] <= distance[node]:
            break
        heap[at] = heap[above]
        position[heap[at]] = at
        at = above
    heap[at] = node
    position[node] = at


@kernel
def _down(heap, position, distance, size):
    """Move the entry at the top of the heap to where its distance belongs."""
    node = heap[0]
    at = 0
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        if below + 1 < size and distance[heap[below + 1]] < distance[heap[below]]:
            below += 1
        if distance[heap[below]] >= distance[node]:
            break
        heap[at] = heap[below]
        position[heap[at]] = at
        at = below
    heap[at] = node
    position[node] = at


@kernel
def cheapest_ways(cost, start, target, limit, distance, parent, heap, position):
    """Cost of the cheapest way from a pixel to every pixel, until the target is reached.

    Parameters
    ----------
    cost : array (H, Wd), float32
        Above 0; infinite where no way may go.
    start, target : int
        Flat indices of pixels; target -1 for none.
    limit : float
        Pixels whose way costs more keep an infinite distance.
    distance : array (H * Wd,), float32, out
        Infinite where no way was needed.
    parent : array (H * Wd,), int32, out
        The pixel before on the cheapest way, or `NOWHERE`.
    heap, position : arrays (H * Wd,), int32
        Room to work in.

    Returns
    -------
    bool
        Whether the target was reached.
    """
    height, width = cost.shape
    flat = cost.reshape(-1)
    for i in range(distance.size):
        distance[i] = math.inf
        parent[i] = NOWHERE
        position[i] = NOWHERE
    distance[start] = 0.0
    heap[0] = start
    position[start] = 0
    size = 1
    while size > 0:
        node = heap[0]
        if node == target:
            return True
        size -= 1
        if size > 0:
            heap[0] = heap[size]
            _down(heap, position, distance, size)
        y, x = node // width, node % width
        for dy in range(-1, 2):
            if y + dy < 0 or y + dy >= height:
                continue
            for dx in range(-1, 2):
                if x + dx < 0 or x + dx >= width or (dx == 0 and dy == 0):
                    continue
                other = node + dy * width + dx
                step = DIAGONAL if dx != 0 and dy != 0 else 1.0
                way = distance[node] + 0.5 * step * (flat[node] + flat[other])
                if way < distance[other] and way <= limit:
                    if distance[other] == math.inf:
                        heap[size] = other
                        position[other] = size
                        size += 1
                    distance[other] = way
                    parent[other] = node
                    _up(heap, position, distance, position[other])
    return False
