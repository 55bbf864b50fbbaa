"""One small job, written as each tool would: the same masks, whatever reads them."""

from __future__ import annotations

import base64
import io
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from consolidation.formats import SourceOptions
from tests import format_writers as writers
from tests.format_writers import cvat_mask, cvat_xml, ls_brush, ls_task, write_json

LABELS = ("cat", "dog")
WORKERS = ("ann", "bob", "cid")
SIZE = (12, 17)
Job = Mapping[str, Mapping[str, np.ndarray[Any, Any]]]


def small_job(images: int = 2) -> Job:
    """Masks by image and worker: a rectangle of each class, each worker's a little elsewhere."""
    rng = np.random.default_rng(3)
    job: dict[str, dict[str, np.ndarray[Any, Any]]] = {}
    for number in range(images):
        job[f"image-{number}"] = {}
        for worker in WORKERS:
            mask = np.zeros(SIZE, np.uint8)
            for label in (1, 2):
                top, left = rng.integers(0, 4, 2)
                left += 8 * (label - 1)
                mask[top : top + 6, left : left + 5] = label
            job[f"image-{number}"][worker] = mask
    # somebody found nothing
    job["image-0"][WORKERS[2]][:] = 0
    return job


def layers(mask: np.ndarray[Any, Any]) -> list[tuple[str, np.ndarray[Any, Any]]]:
    return [
        (label, (mask == k).astype(np.uint8))
        for k, label in enumerate(LABELS, 1)
        if (mask == k).any()
    ]


def _png(mask: np.ndarray[Any, Any]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(mask * 255).save(file, "PNG")
    return file.getvalue()


def label_studio(job: Job, folder: Path) -> Path:
    tasks = []
    for number, (image, masks) in enumerate(job.items()):
        people = {
            worker: [ls_brush(label, label, layer) for label, layer in layers(mask)]
            for worker, mask in masks.items()
        }
        data = {"image": f"/data/upload/1/0a1b2c3d-{image}.png"}
        tasks.append(ls_task(number, people, data=data))
    return write_json(folder / "export.json", tasks)


def cvat(job: Job, folder: Path) -> Path:
    for worker in WORKERS:
        images = [
            (
                f"{image}.jpg",
                SIZE[1],
                SIZE[0],
                "".join(cvat_mask(label, layer) for label, layer in layers(masks[worker])),
            )
            for image, masks in job.items()
        ]
        path = folder / worker / "annotations.xml"
        path.parent.mkdir(parents=True)
        path.write_text(cvat_xml(images))
    return folder


def cvat_zips(job: Job, folder: Path) -> Path:
    cvat(job, folder / "plain")
    (folder / "zips").mkdir()
    for worker in WORKERS:
        path = folder / "zips" / f"{worker}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(folder / "plain" / worker / "annotations.xml", "annotations.xml")
    return folder / "zips"


def cvat_masks(job: Job, folder: Path) -> Path:
    colors = np.array([[0, 0, 0], [200, 10, 10], [10, 200, 10]], np.uint8)
    lines = [
        f"{name}:{r},{g},{b}::"
        for name, (r, g, b) in zip(("background", *LABELS), colors, strict=True)
    ]
    for worker in WORKERS:
        masks = folder / worker / "SegmentationClass"
        masks.mkdir(parents=True)
        (folder / worker / "labelmap.txt").write_text("\n".join(lines))
        for image, by_worker in job.items():
            Image.fromarray(colors[by_worker[worker]]).save(masks / f"{image}.png")
    return folder


def coco(job: Job, folder: Path) -> Path:
    categories = [{"id": 5 + k, "name": label} for k, label in enumerate(LABELS)]
    for worker in WORKERS:
        images, annotations = [], []
        for number, (image, masks) in enumerate(job.items()):
            size = {"height": SIZE[0], "width": SIZE[1]}
            images.append({"id": number, "file_name": f"{image}.jpg", **size})
            for label, layer in layers(masks[worker]):
                counts = writers.coco_counts(writers.runs(layer.T.reshape(-1)))
                annotations.append(
                    {
                        "id": len(annotations),
                        "image_id": number,
                        "category_id": 5 + LABELS.index(label),
                        "segmentation": {"size": list(SIZE), "counts": counts},
                    }
                )
        content = {"images": images, "annotations": annotations, "categories": categories}
        write_json(folder / f"{worker}.json", content)
    return folder


def darwin(job: Job, folder: Path) -> Path:
    for image, masks in job.items():
        for worker, mask in masks.items():
            pairs: list[int] = []
            for value in mask.reshape(-1).tolist():
                if pairs and pairs[-2] == value:
                    pairs[-1] += 1
                else:
                    pairs += [value, 1]
            annotations: list[Any] = [
                {"id": label, "name": label, "mask": {}} for label, _ in layers(mask)
            ]
            ids = {label: LABELS.index(label) + 1 for label, _ in layers(mask)}
            layer = {"dense_rle": pairs, "mask_annotation_ids_mapping": ids}
            annotations.append({"id": "r", "name": "__raster_layer__", "raster_layer": layer})
            slot = {"type": "image", "slot_name": "0", "width": SIZE[1], "height": SIZE[0]}
            content = {
                "version": "2.0",
                "item": {"name": f"{image}.jpg", "slots": [slot]},
                "annotations": annotations,
            }
            write_json(folder / worker / f"{image}.json", content)
    return folder


def supervisely(job: Job, folder: Path) -> Path:
    for image, masks in job.items():
        for worker, mask in masks.items():
            objects = [
                {
                    "classTitle": label,
                    "geometryType": "bitmap",
                    "labelerLogin": worker,
                    "bitmap": {
                        "data": base64.b64encode(zlib.compress(_png(layer))).decode(),
                        "origin": [0, 0],
                    },
                }
                for label, layer in layers(mask)
            ]
            size = {"height": SIZE[0], "width": SIZE[1]}
            content = {"description": "", "tags": [], "size": size, "objects": objects}
            write_json(folder / worker / "ann" / f"{image}.jpg.json", content)
    return folder


def labelme(job: Job, folder: Path) -> Path:
    for image, masks in job.items():
        for worker, mask in masks.items():
            shapes = [
                {
                    "label": label,
                    "points": [[0, 0], [SIZE[1] - 1, SIZE[0] - 1]],
                    "shape_type": "mask",
                    "mask": base64.b64encode(_png(layer)).decode(),
                }
                for label, layer in layers(mask)
            ]
            content = {
                "shapes": shapes,
                "imagePath": f"{image}.jpg",
                "imageHeight": SIZE[0],
                "imageWidth": SIZE[1],
            }
            write_json(folder / worker / f"{image}.json", content)
    return folder


def nifti(job: Job, folder: Path) -> Path:
    import nibabel

    for image, masks in job.items():
        for worker, mask in masks.items():
            picture = nibabel.Nifti1Image(np.ascontiguousarray(mask.T), np.eye(4))
            folder.mkdir(parents=True, exist_ok=True)
            nibabel.save(picture, folder / f"{image}_seg{worker}.nii.gz")
    classes = [{"index": k, "name": label} for k, label in enumerate(LABELS, 1)]
    write_json(folder / "classes.json", {"classes": classes})
    return folder


def label_files(job: Job, folder: Path) -> Path:
    for image, masks in job.items():
        for worker, mask in masks.items():
            for k, label in enumerate(LABELS, 1):
                path = folder / worker / f"{image}_{label}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(_png((mask == k).astype(np.uint8)))
    return folder


WRITERS: Mapping[str, tuple[Callable[[Job, Path], Path], SourceOptions]] = {
    "label-studio": (label_studio, SourceOptions()),
    "cvat": (cvat, SourceOptions()),
    "cvat zips": (cvat_zips, SourceOptions()),
    "cvat-masks": (cvat_masks, SourceOptions()),
    "coco": (coco, SourceOptions()),
    "darwin": (darwin, SourceOptions()),
    "supervisely": (supervisely, SourceOptions()),
    "labelme": (labelme, SourceOptions()),
    "volumes": (nifti, SourceOptions()),
    "label-files": (label_files, SourceOptions(masks="{worker}/{image}_{label}.png")),
}
"""Writer of each format, and how it is read."""
