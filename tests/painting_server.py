"""A painting server in a thread, and pictures to paint on."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


@contextlib.contextmanager
def serving(make: Callable[[str], Any]) -> Iterator[Any]:
    """Serve what `make(origin)` returns, a `Painting`, on a free port."""
    import uvicorn

    from consolidation.labeling.paint_server import application

    listener = socket.create_server(("127.0.0.1", 0))
    host = f"127.0.0.1:{listener.getsockname()[1]}"
    painting = make(f"http://{host}")
    config = uvicorn.Config(application(painting, [host]), log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield painting
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def scene(path: Path, size: tuple[int, int] = (120, 160), seed: int = 0) -> Path:
    """Write a picture of some soft shapes."""
    height, width = size
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    pixels = np.stack(
        [x * 120 // width + 60, y * 110 // height + 70, (x + y) * 70 // (height + width) + 90], -1
    ).astype(np.float32)
    for _ in range(5):
        cy, cx, r = (
            rng.uniform(0, height),
            rng.uniform(0, width),
            rng.uniform(0.08, 0.2) * min(size),
        )
        inside = np.hypot(y - cy, x - cx) < r
        pixels[inside] = rng.uniform(30, 230, 3)
    pixels += rng.normal(0, 6, pixels.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path)
    return path
