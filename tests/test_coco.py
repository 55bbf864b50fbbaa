"""COCO: all segmentations, one file an annotator or a field, panoptic pictures."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from consolidation.errors import OptionError, SourceError
from consolidation.formats import SourceOptions, open_source
from tests import format_writers as writers
from tests.format_writers import write_json
from tests.reading import read
from tests.shared_data import FORMATS as SAMPLES
from tests.shared_data import needs_shared
from tests.test_label_studio import DERIVED

FORMATS = SAMPLES / "coco"
CATEGORIES = [{"id": 7, "name": "dog"}, {"id": 3, "name": "cat"}]
RING = [0, 0, 3, 0, 3, 2, 0, 2]


def image(number=1, name="x.jpg", **more):
    return {"id": number, "file_name": name, "width": 6, "height": 4} | more


def annotation(segmentation, category=3, number=1, **more):
    return {
        "id": 1,
        "image_id": number,
        "category_id": category,
        "segmentation": segmentation,
    } | more


def write(path, annotations, images=None, categories=CATEGORIES):
    content = {"images": images or [image()], "annotations": annotations, "categories": categories}
    return write_json(path, content)


def rle(mask, compressed):
    counts = writers.runs(mask.T.reshape(-1))
    return {
        "size": list(mask.shape),
        "counts": writers.coco_counts(counts) if compressed else counts,
    }


def test_all_segmentations(tmp_path):
    mask = np.zeros((4, 6), np.uint8)
    mask[1:3, 2:5] = 1
    for segmentation, pixels in (
        ([RING], 6),
        (RING, 6),
        ([RING, [2, 0, 5, 0, 5, 2, 2, 2]], 10),  # rings are a union
        (rle(mask, True), 6),
        (rle(mask, False), 6),
    ):
        found = read(write(tmp_path / "ann.json", [annotation(segmentation, iscrowd=1)]))
        assert found.pixels("x", "ann") == {"cat": pixels}
        assert found.classes.names == ("BACKGROUND", "dog", "cat")
    assert read(write(tmp_path / "ann.json", [annotation([]), annotation([RING])])).warnings[
        "x"
    ] == [("ann", "1 annotations without a segmentation are left out")]


def test_boxes_alone_are_no_blank_answer(tmp_path):
    box = annotation([], bbox=[0, 0, 2, 2])
    write(tmp_path / "boxes.json", [box])
    write(tmp_path / "bare.json", [annotation([])])
    error = read(tmp_path).errors["x"]
    assert "worker boxes: boxes only" in error and "`consolidate segment --boxes`" in error
    assert "worker bare: none of its 1 annotations has a segmentation" in error
    write(tmp_path / "ann.json", [annotation([RING]), box])
    write(tmp_path / "blank.json", [])
    assert sorted(read(tmp_path).masks["x"]) == ["ann", "blank"]


def test_one_file_an_annotator(tmp_path):
    both = [image(), image(2, "y.jpg")]
    write(tmp_path / "ann.json", [annotation([RING])], both)
    # ids and numbers are a file's own: names count
    other = [{"id": 1, "name": "cat"}]
    write(tmp_path / "bob.json", [annotation([RING], 1, 5)], [image(5)], other)
    found = read(tmp_path)
    assert {i: sorted(one) for i, one in found.masks.items()} == {"x": ["ann", "bob"], "y": ["ann"]}
    assert found.pixels("x", "bob") == {"cat": 6} and found.pixels("y", "ann") == {}
    for worker in ("ann", "bob"):
        write(tmp_path / "set" / worker / "instances.json", [annotation([RING])])
    assert sorted(read(tmp_path / "set").masks["x"]) == ["ann", "bob"]


def test_annotators_by_field(tmp_path):
    for field in ("rater", "annotator_id", "created_by"):
        path = write(tmp_path / "a.json", [annotation([RING], **{field: w}) for w in ("ann", 2)])
        found = read(path)
        assert sorted(found.masks["x"]) == ["2", "ann"]
        assert found.notes == (f"annotators are told by the field '{field}'",)
    inner = [
        annotation([RING], attributes={"who": "ann"}),
        annotation([RING], attributes={"who": ""}),
    ]
    path = write(tmp_path / "a.json", inner)
    assert sorted(read(path, annotator_field="who").masks["x"]) == ["a", "ann"]
    with pytest.raises(OptionError, match="no annotation has 'whom'"):
        read(path, annotator_field="whom")
    shared = [annotation([RING], annotator_ids=[1, 2])]
    assert sorted(read(write(tmp_path / "a.json", shared)).masks["x"]) == ["1", "2"]


def test_who_was_asked_and_found_nothing(tmp_path):
    images = [image(rater_list=["ann", "bob"]), image(2, "y.jpg")]
    path = write(tmp_path / "a.json", [annotation([RING], rater="ann")], images)
    found = read(path)
    assert sorted(found.masks) == ["x"]
    assert found.pixels("x", "bob") == {}
    assert "left out, images without an annotation: 1" in found.notes


def test_order_of_the_file_does_not_matter(tmp_path):
    content = {
        "annotations": [
            annotation([RING], 7),
            annotation([RING], 99),
            annotation([RING], number=8),
        ],
        "categories": CATEGORIES,
        "info": {"a": [1]},
        "images": [image()],
    }
    found = read(write_json(tmp_path / "ann.json", content, indent=1))
    assert found.ignored("x", "ann") == 6
    said = "6 pixels of label 'category_id 99', which is no class of this job, are ignored"
    assert ("ann", said) in found.warnings["x"]
    assert found.notes == (
        f"{tmp_path / 'ann.json'}: its `categories` do not list category_id 99",
        "left out, annotations of images that are not listed: 1",
    )


def test_annotation_that_cannot_be_used_is_dropped_alone(tmp_path):
    annotations = [
        annotation([RING], rater="good"),
        annotation({"size": [4, 6], "counts": "0"}, rater="short"),
        annotation({"size": [6, 4], "counts": [0, 24]}, rater="turned"),
        annotation({"size": [10**9, 10**9], "counts": [0, 10**18]}, rater="huge"),
        annotation([[0, 0, 1]], rater="odd"),
        annotation([["a", 0] * 3], rater="text"),
        annotation({"counts": None}, rater="none"),
        annotation([RING], rater="none"),
    ]
    found = read(write(tmp_path / "a.json", annotations))
    assert sorted(found.masks["x"]) == ["good"]
    assert all(text.startswith("answer dropped: ") for _, text in found.warnings["x"])
    assert len(found.warnings["x"]) == 6


def test_damaged_files(tmp_path):
    path = tmp_path / "a.json"
    text = json.dumps({"images": [image()], "annotations": [annotation([RING])]})
    path.write_text(text[:-9])
    with pytest.raises(SourceError, match="cut off after"):
        open_source(path)
    path.write_text(text.replace('"category_id": 3', '"category_id": '))
    with pytest.raises(SourceError, match=r"the entry at byte \d+"):
        open_source(path)
    path.write_text('{"images": [], "annotations": [{"image_id": 1}]}')
    with pytest.raises(SourceError, match="it lists no images"):
        open_source(path)


def test_ids_and_sizes_that_are_none(tmp_path):
    odd = [
        image([1], "a.jpg"),
        image(2, "b.jpg", width=float("nan")),
        image(3, "c.jpg", height=1e400),
    ]
    annotations = [
        annotation([RING], [3], number=[1]),
        annotation([RING], {"a": 1}, number=2),
        annotation([RING], number=3),
        {"image_id": {}, "segments_info": [{"id": 1, "category_id": []}]},
    ]
    found = read(write(tmp_path / "ann.json", annotations, [image(), *odd]))
    assert sorted(found.errors) == ["b", "c"]
    assert all("the size of its image is not known" in error for error in found.errors.values())
    assert list(found.masks) == ["x"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([annotation([RING], score=0.5)], "is a list of COCO results, which tells neither images"),
        ([], "is an empty list: an export without a task"),
    ],
)
def test_lists_that_are_no_export(tmp_path, content, says):
    path = write_json(tmp_path / "r.json", content)
    for place in (path, tmp_path):
        with pytest.raises(SourceError, match=f"r.json {says}"):
            open_source(place)


def test_list_of_images_is_no_annotator(tmp_path):
    write(tmp_path / "ann.json", [annotation([RING])])
    write(tmp_path / "blank.json", [])
    path = write_json(tmp_path / "info.json", {"images": [image()], "categories": CATEGORIES})
    found = read(tmp_path)
    assert sorted(found.masks["x"]) == ["ann", "blank"]
    assert found.pixels("x", "blank") == {}
    (note,) = found.notes
    assert "info.json is left out: it lists images and has no `annotations`" in note
    with pytest.raises(SourceError, match="no annotation in it: it lists images"):
        open_source(path)


def test_lvis_is_told(tmp_path):
    path = write(tmp_path / "a.json", [annotation([RING])], [image(neg_category_ids=[3])])
    assert "--unpainted ignore" in read(path).notes[0]


def panoptic(folder, worker="ann"):
    ids = np.zeros((4, 6), np.uint32)
    ids[0, :3], ids[1], ids[2, 0] = 70_000, 258, 9
    rgb = np.stack([ids & 255, ids >> 8 & 255, ids >> 16], axis=2).astype(np.uint8)
    (folder / worker).mkdir(parents=True)
    Image.fromarray(rgb).save(folder / worker / "x.png")
    segments = [{"id": 70_000, "category_id": 3}, {"id": 258, "category_id": 7}]
    annotation_ = {"image_id": 1, "file_name": "x.png", "segments_info": segments}
    content = {"images": [image()], "annotations": [annotation_], "categories": CATEGORIES}
    return write_json(folder / f"{worker}.json", content)


def test_panoptic(tmp_path):
    for path in (panoptic(tmp_path), tmp_path):
        found = read(path)
        assert found.pixels("x", "ann") == {"cat": 3, "dog": 6}
        # void, and a segment that is not listed: nobody knows
        assert found.ignored("x", "ann") == 15
        assert found.warnings["x"] == [("ann", "1 pixels of no segment of it are ignored")]


@needs_shared
def test_panoptic_is_the_run_lengths():
    picture = read(FORMATS / "panoptic_examples.json")
    runs = read(FORMATS / "panoptic_coco_detection_format.json", unpainted="ignore")
    for name, void in (("000000142238", 2712), ("000000439180", 7189)):
        (ours,), (theirs,) = picture.masks[name].values(), runs.masks[name].values()
        np.testing.assert_array_equal(ours, theirs)
        assert picture.ignored(name, "panoptic_examples") == void


@needs_shared
def test_every_area():
    path = FORMATS / "panoptic_coco_detection_format.json"
    content = json.loads(path.read_text())
    sizes = {one["id"]: (one["height"], one["width"]) for one in content["images"]}
    from consolidation.formats.coded_shapes import ColumnRuns

    assert len(content["annotations"]) == 50
    for one in content["annotations"]:
        shape = ColumnRuns(one["segmentation"]["counts"], one["segmentation"]["size"])
        assert int(shape.plane(*sizes[one["image_id"]]).pixels.sum()) == one["area"]
    first = content["annotations"][0]
    assert (first["segmentation"]["size"], first["area"], first["category_id"]) == (
        [427, 640],
        3528,
        1,
    )


@needs_shared
def test_derived_file():
    found = read(FORMATS / "derived_raters.json")
    for image_id, workers in DERIVED.items():
        expected = {f"worker_{number}": pixels for number, pixels in workers.items()}
        assert {w: found.pixels(image_id, w)["cfos"] for w in found.masks[image_id]} == expected


def test_two_formats_in_one_folder(tmp_path):
    write(tmp_path / "ann.json", [annotation([RING])])
    write_json(tmp_path / "ls.json", [writers.ls_task(1, {1: []})])
    with pytest.raises(SourceError, match="--format label-studio or --format coco"):
        open_source(tmp_path)
    assert open_source(tmp_path, SourceOptions(format="coco")).ids == ["x"]
    with pytest.raises(OptionError, match="--format must be one of"):
        open_source(tmp_path, SourceOptions(format="yolo"))


def test_zips_as_tools_export_them(tmp_path):
    import zipfile

    for worker in ("ann", "bob"):
        path = write(tmp_path / "plain" / "x.json", [annotation([RING])])
        (tmp_path / "zips").mkdir(exist_ok=True)
        with zipfile.ZipFile(tmp_path / "zips" / f"{worker}.zip", "w") as archive:
            archive.write(path, "annotations/instances_default.json")
            archive.writestr("images/x.jpg", b"")
    found = read(tmp_path / "zips")
    assert found.name == "coco"
    assert {w: found.pixels("x", w) for w in found.masks["x"]} == {
        "ann": {"cat": 6},
        "bob": {"cat": 6},
    }
    assert read(tmp_path / "zips" / "ann.zip").pixels("x", "ann") == {"cat": 6}
