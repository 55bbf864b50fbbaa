"""What every source must do, whatever it reads; each format's tests call `check_source`."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np

from consolidation.formats import SourceOptions, job_classes, open_source
from consolidation.objects import PreparedObject, ignore_index, prepare_object
from consolidation.options import Options

OPTIONS = Options()


def check_source(
    path: Path, options: SourceOptions | None = None, fails: int = 0
) -> dict[str, PreparedObject]:
    """Check a local source in which so many objects fail; return what it holds, by id.

    Its items are small, the same in another process and the same again; ids are different; opened
    again it is the same; masks hold nothing but classes and the ignored value; and its stamp
    changes when one of its files does.
    """
    source, again = open_source(path, options), open_source(path, options)
    assert source.ids, "an empty source is refused"
    assert len(set(source.ids)) == len(source.ids)
    assert source.ids == again.ids
    assert source.stamp() == again.stamp()
    classes = job_classes(source, None)
    assert classes.names == job_classes(again, None).names
    assert source.kind
    held = {}
    for item in source.items:
        text = pickle.dumps(item)
        assert len(text) < 100_000, "an item is sent to other processes: it holds no masks"
        elsewhere = pickle.loads(text)
        assert elsewhere.id == item.id
        try:
            first = prepare_object(item.load(), classes, OPTIONS)
        except Exception as error:
            fails -= 1
            assert "\n" not in str(error)
            continue
        masks = first.masks.copy()
        second = prepare_object(elsewhere.load(), classes, OPTIONS)
        assert second.workers == first.workers
        np.testing.assert_array_equal(second.masks, masks)
        known = np.arange(len(classes))
        assert np.isin(masks, [*known, ignore_index(classes)]).all()
        held[item.id] = first
    assert fails == 0
    _check_stamp(path, options, source.stamp())
    return held


def _check_stamp(path: Path, options: SourceOptions | None, stamp: str) -> None:
    """Check that some file's change is seen, and that the change undone is, too."""
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    seen = False
    for file in files:
        data, times = file.read_bytes(), (file.stat().st_atime_ns, file.stat().st_mtime_ns)
        file.write_bytes(data + b" ")
        try:
            seen |= open_source(path, options).stamp() != stamp
        except Exception as error:
            # a file that must be whole says so
            assert "\n" not in str(error)
            seen = True
        finally:
            file.write_bytes(data)
            os.utime(file, ns=times)
    assert seen
