"""Every command of docs/formats.md works, on a small job written as its tool would."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from consolidation.cli import main
from tests import sample_exports as samples
from tests.format_writers import write_json
from tests.test_formats import with_truth

PAGE = Path(__file__).parents[1] / "docs" / "formats.md"
COMMANDS = [
    line
    for block in re.findall(r"^```\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    for line in block.splitlines()
]


def write_all(folder: Path) -> None:
    """What the page's commands name."""
    job = samples.small_job()
    with_truth(folder / "ls").rename(folder / "label-studio.json")
    brushes = folder / "label-studio-brushes"
    brushes.mkdir()
    for number, (image, masks) in enumerate(job.items()):
        for place, (worker, mask) in enumerate(masks.items()):
            for label, layer in samples.layers(mask):
                name = f"task-{number}-annotation-{place}-by-{worker}-tag-{label}-0.png"
                Image.fromarray(layer * 255).save(brushes / name)
        for worker, mask in masks.items():
            for ending, save in (("png", None), ("npy", np.save)):
                path = folder / ("stacks" if save else "masks") / worker / f"{image}.{ending}"
                path.parent.mkdir(parents=True, exist_ok=True)
                if save is None:
                    Image.fromarray(mask).save(path)
                else:
                    save(path, mask)
    samples.cvat(job, folder / "cvat")
    samples.cvat_zips(job, folder / "z").rename(folder / "cvat-zips")
    for name in ("cvat_masks", "coco", "darwin", "supervisely", "labelme", "label_files"):
        getattr(samples, name)(job, folder / name.replace("_", "-"))
    samples.nifti(job, folder / "volumes")
    flat = folder / "darwin-flat"
    flat.mkdir()
    for path in (folder / "darwin").rglob("*.json"):
        (flat / f"{path.parent.name}_{path.name}").write_bytes(path.read_bytes())
    whole = json.loads((folder / "coco" / "ann.json").read_text())
    for other in ("bob", "cid"):
        more = json.loads((folder / "coco" / f"{other}.json").read_text())["annotations"]
        whole["annotations"] += [one | {"labelled_by": other} for one in more]
    whole["annotations"] = [{"labelled_by": "ann"} | one for one in whole["annotations"]]
    write_json(folder / "coco-field.json", whole)


@pytest.mark.slow
def test_every_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("nibabel", reason="nibabel is not installed")
    write_all(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert len(COMMANDS) > 20
    for command in COMMANDS:
        program, *arguments = shlex.split(command)
        assert program == "consolidate"
        if arguments[0] == "run":
            arguments += ["--jobs", "1", "--no-report"]
        assert main(arguments) == 0, (command, capsys.readouterr().err)
    assert "2 images" in capsys.readouterr().out
    assert len(list(Path("results/volumes/volumes").glob("*.nii.gz"))) == 2


def test_every_format_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8").lower()
    for name in ("label studio", "cvat", "coco", "darwin", "supervisely", "labelme", "nifti"):
        assert name in text
