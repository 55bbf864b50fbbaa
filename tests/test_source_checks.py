"""Every source that reads Ground Truth's files and folders of masks passes the shared checks."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from consolidation.simulation import simulate_job
from tests import wire
from tests.source_checks import check_source
from tests.wire import entry, write_index_mask, write_json


def test_requests(tmp_path: Path) -> None:
    entries = [
        entry("7", ("a", wire.content([[1, 2]])), ("b", wire.content([[1, 0]]))),
        entry("bad", ("a", wire.picture_content(b"GIF"))),
    ]
    held = check_source(write_json(tmp_path / "r.json", entries), fails=1)
    assert held["7"].masks.tolist() == [[[1, 2]], [[1, 0]]]
    assert held["7"].workers == ["a", "b"]


def test_finished_job(tmp_path: Path) -> None:
    job = simulate_job(tmp_path / "job", images=3, size=(20, 30))
    held = check_source(Path(job.folder))
    assert sorted(held) == sorted(job.object_ids)


def test_mask_folder(tmp_path: Path) -> None:
    for image, worker in (("x", "a"), ("x", "b"), ("y", "a")):
        write_index_mask(tmp_path / image / f"worker_{worker}.png", np.eye(3, 4, dtype=np.uint8))
    held = check_source(tmp_path)
    assert held["x"].workers == ["a", "b"]
    shutil.rmtree(tmp_path / "y")
    assert sorted(check_source(tmp_path)) == ["x"]
