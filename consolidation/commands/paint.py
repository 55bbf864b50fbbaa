"""Paint masks of one's own pictures in the browser: the command ``consolidate paint``."""

from __future__ import annotations

import contextlib
import socket
import sys
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path

from consolidation import storage
from consolidation.errors import ConsolidationError, OptionError
from consolidation.formats.groundtruth import parse_classes

PORT = 8377
"""Drafts are kept by the browser for an address: it should be the same each time."""
HOST = "127.0.0.1"


def paint(
    pictures: str | Path,
    labels: Sequence[str],
    out: str | Path,
    *,
    masks: str | Path | None = None,
    worker: str | None = None,
    template: str | Path | None = None,
    port: int = PORT,
    language: str = "",
    browser: bool = True,
    say: Callable[[str], None] = print,
) -> None:
    """Serve the painting page on this machine until it is interrupted.

    Parameters
    ----------
    pictures : path
        A picture or a folder of them.
    labels : sequence of str
        Their order is that of the class indices, from 1.
    out : path
        Folder for masks and answers; ``consolidate run`` reads it.
    masks : path, optional
        Masks to begin with.
    worker : str, optional
        Who paints: part of the files' names.
    template : path, optional
        A task template of one's own.
    port : int
        0 takes any that is free.
    language : {"", "en", "de"}
        The browser's where it is empty.
    browser : bool
        Whether to open the page.
    say : callable
        Prints a line.

    Raises
    ------
    ConsolidationError
        If pictures, labels, masks or template cannot be used, the port is taken, or the extra
        ``label`` is not installed.
    """
    try:
        import uvicorn

        from consolidation.labeling.paint_folder import DEFAULT_WORKER, PaintFolder
        from consolidation.labeling.paint_server import application
        from consolidation.labeling.painting import Painting
        from consolidation.labeling.template import render, unknown_elements
    except ImportError as error:
        raise ConsolidationError(
            f"painting needs {error.name}: pip install 'consolidation[label]'"
        ) from None
    folder = PaintFolder(pictures, labels, out, worker or DEFAULT_WORKER, masks)
    text = None
    if template is not None:
        text = storage.read_bytes(template).decode("utf-8")
        render(text, {"labels": list(labels)}, str)
        for name in unknown_elements(text):
            say(f"{template}: <{name}> is not known here; what is inside it is shown")
    listener = _listen(port)
    port = listener.getsockname()[1]
    painting = Painting(folder, f"http://{HOST}:{port}", text, language)
    app = application(painting, [f"{HOST}:{port}", f"localhost:{port}"])
    say(f"{len(folder.pictures):,} pictures, to paint at {painting.address}")
    say(f"masks and answers go to {folder.out}; end with Ctrl+C")
    # whoever reads it through a pipe wants it now
    sys.stdout.flush()
    if browser:
        webbrowser.open(painting.address)
    config = uvicorn.Config(app, log_level="warning", lifespan="off", server_header=False)
    # ended by Ctrl+C, as was said
    with listener, contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


def read_labels(text: str | Path) -> list[str]:
    """Labels of ``a,b,c``, or of a file: a label-categories file, or a label a line.

    Examples
    --------
    >>> read_labels("road, car")
    ['road', 'car']
    """
    path = Path(text)
    if not path.is_file():
        return [label.strip() for label in str(text).split(",")]
    data = storage.read_bytes(path)
    if path.suffix == ".json":
        return list(parse_classes(data, str(path)).names[1:])
    return [line.strip() for line in data.decode("utf-8").splitlines() if line.strip()]


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise OptionError(
            f"port {port} cannot be had ({error}): choose another by --port"
        ) from None
    listener.listen()
    return listener
