"""Tools that write a file an image: Darwin, Supervisely, LabelMe."""

from __future__ import annotations

import base64
import io
import zlib

import numpy as np
import pytest
from PIL import Image

from consolidation.errors import OptionError, SourceError
from consolidation.formats import open_source
from tests.format_writers import write_json
from tests.reading import read
from tests.shared_data import FORMATS, needs_shared

SQUARE = [(0, 0), (3, 0), (3, 2), (0, 2)]


def points(ring):
    return [{"x": x, "y": y} for x, y in ring]


def darwin(name="x.jpg", *annotations):
    return {
        "dataset": "d",
        "image": {"width": 6, "height": 4, "original_filename": name},
        "annotations": list(annotations),
    }


def darwin2(name="x.jpg", *annotations):
    slot = {"type": "image", "slot_name": "0", "width": 6, "height": 4}
    return {"version": "2.0", "item": {"name": name, "slots": [slot]}, "annotations": annotations}


def png(mask, mode="L"):
    file = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).convert(mode).save(file, "PNG")
    return file.getvalue()


# -- Darwin


def test_darwin_1(tmp_path):
    hole = [(1, 1), (2, 1), (2, 2), (1, 2)]
    annotations = [
        {"name": "cat", "polygon": {"path": points(SQUARE)}, "bounding_box": {"x": 0}},
        {"name": "dog", "complex_polygon": {"path": [points(SQUARE), points(hole)]}},
        {"name": "owl", "bounding_box": {"x": 4, "y": 0, "w": 2, "h": 1}},
        {"name": "tag", "tag": {}},
        {"name": "line", "line": {"path": []}},
    ]
    write_json(tmp_path / "ann" / "x.json", darwin("x.jpg", *annotations))
    write_json(tmp_path / "bob" / "x.json", darwin("x.jpg"))
    found = read(tmp_path)
    assert found.name == "darwin"
    assert found.pixels("x", "ann") == {"cat": 1, "dog": 5, "owl": 2}
    assert found.pixels("x", "bob") == {}
    assert found.warnings["x"][0] == ("ann", "1 annotations without an area are left out")


def test_darwin_2(tmp_path):
    layer = {
        "dense_rle": [0, 6, 5, 3, 0, 3, 7, 2, 0, 10],
        "mask_annotation_ids_mapping": {"a": 5, "b": 7},
    }
    people = [{"email": "ann@x.org", "full_name": "Ann"}]
    annotations = [
        {"id": "p", "name": "cat", "polygon": {"paths": [points(SQUARE)]}, "annotators": people},
        {"id": "a", "name": "dog", "mask": {}, "annotators": people},
        {"id": "b", "name": "owl", "mask": {}, "annotators": [{"email": "bob@x.org"}]},
        {"id": "r", "name": "__raster_layer__", "raster_layer": layer},
        {
            "id": "e",
            "name": "ant",
            "ellipse": {"center": {"x": 5, "y": 3}, "radius": {"x": 1, "y": 1}, "angle": 0},
            "annotators": people,
        },
    ]
    path = write_json(tmp_path / "x.json", darwin2("x.jpg", *annotations))
    found = read(path)
    (bob,) = set(found.masks["x"]) - {"Ann"}
    assert bob.startswith("person-")
    assert found.pixels("x", "Ann") == {"ant": 4, "cat": 3, "dog": 3}
    assert found.pixels("x", bob) == {"owl": 2}
    assert sorted(read(path, emails=True).masks["x"]) == ["ann@x.org", "bob@x.org"]


def test_darwin_names_have_folders(tmp_path):
    for worker in ("ann", "bob"):
        for folder in ("/", "/a/b"):
            content = darwin2("x.jpg", {"name": "cat", "polygon": {"paths": [points(SQUARE)]}})
            content["item"]["path"] = folder
            write_json(tmp_path / worker / f"x{len(folder)}.json", content)
    found = read(tmp_path)
    assert {i: list(one) for i, one in found.masks.items()} == {
        "a/b/x": ["ann", "bob"],
        "x": ["ann", "bob"],
    }


def test_files_that_do_not_say_who(tmp_path):
    polygon = {"name": "cat", "polygon": {"path": points(SQUARE)}}
    for worker in ("ann", "bob"):
        for image in ("x", "y"):
            name = f"{worker}_{image}"
            write_json(tmp_path / f"{name}.json", darwin(f"{name}.jpg", polygon))
    with pytest.raises(SourceError, match=r"give a folder for each annotator, or a pattern"):
        open_source(tmp_path)
    found = read(tmp_path, masks="{worker}_{image}.json")
    assert {i: list(one) for i, one in found.masks.items()} == {
        "x": ["ann", "bob"],
        "y": ["ann", "bob"],
    }
    with pytest.raises(SourceError, match=r"ann_x\.json is not like --masks"):
        read(tmp_path, masks="{worker}-{image}.json")
    with pytest.raises(OptionError, match="--masks must have"):
        read(tmp_path, masks="{worker}.json")


def test_damaged_file_is_one_answer(tmp_path):
    polygon = {"name": "cat", "polygon": {"path": points(SQUARE)}}
    bad = {"name": "cat", "polygon": {"path": [{"x": 1}] * 3}}
    for worker, one in (("ann", polygon), ("bob", bad)):
        write_json(tmp_path / worker / "x.json", darwin("x.jpg", one))
    (tmp_path / "cid").mkdir()
    (tmp_path / "cid" / "x.json").write_text(
        '{"dataset": 1, "image": {"original_filename": "x.jpg"}, "annotations": ['
    )
    found = read(tmp_path)
    assert list(found.masks["x"]) == ["ann"]
    said = dict(found.warnings["x"])
    assert "y is no number" in said["bob"] and "is not JSON" in said["cid"]


@needs_shared
def test_darwin_real_files():
    found = read(FORMATS / "darwin", masks="{worker}_{image}.json")
    wart = next(image for image in found.masks if image.startswith("wart3"))
    assert len(found.masks["952257-1"]) == len(found.masks[wart]) == 8
    assert not any(mask.any() for mask in found.masks["952257-1"].values())
    each = read(FORMATS / "darwin", masks="{worker}_{image}.json", multilabel=True)
    expected = {
        "labeller1": {"Papule": 2425, "Plaque": 156783, "Dermatoglyph disruption": 161120},
        "labeller7": {"Papule": 4207},
        "labeller8": {"Papule": 1766, "Plaque": 174176},
    }
    for worker in found.masks[wart]:
        pixels = {
            label: each.pixels(f"{wart}/{label}", worker).get(label, 0)
            for label in found.classes.names[1:]
        }
        for label, n in expected.get(worker, {}).items():
            assert pixels[label] == n
        if worker not in expected:
            assert not any(pixels.values())


@needs_shared
def test_darwin_objects_one_by_one():
    import json

    from consolidation.formats.darwin import Darwin
    from consolidation.formats.files import File
    from consolidation.limits import Limits

    (path,) = (FORMATS / "darwin").glob("labeller7_wart3*")
    assert json.loads(path.read_text())["image"]["width"] == 640
    content = Darwin.parse(File(str(path)), Limits(), emails=False)
    assert content.size is not None
    counts = [
        (region.label, int(region.shape.plane(*content.size).pixels.sum()))
        for _, region in content.regions
    ]
    assert sorted(counts) == [("Papule", 4207), ("Plaque", 9179), ("Plaque", 192763)]


# -- Supervisely


def supervisely(*objects):
    return {"description": "", "tags": [], "size": {"height": 4, "width": 6}, "objects": objects}


def bitmap(mask, packed=True, mode="L"):
    data = png(mask, mode)
    return base64.b64encode(zlib.compress(data) if packed else data).decode()


def test_supervisely(tmp_path):
    ring = np.ones((3, 3), bool)
    ring[1, 1] = False
    objects = [
        {
            "classTitle": "ring",
            "geometryType": "bitmap",
            "labelerLogin": "ann",
            "bitmap": {"data": bitmap(ring, packed, mode), "origin": [2, 1]},
        }
        for packed, mode in ((True, "L"), (False, "P"), (True, "1"))
    ]
    objects += [
        {
            "classTitle": "cat",
            "geometryType": "polygon",
            "labelerLogin": "bob",
            "points": {"exterior": SQUARE, "interior": [[(1, 1), (2, 1), (2, 2), (1, 2)]]},
        },
        {
            "classTitle": "box",
            "geometryType": "rectangle",
            "labelerLogin": "bob",
            "points": {"exterior": [[4, 0], [5, 1]], "interior": []},
        },
        {"classTitle": "dot", "geometryType": "point", "labelerLogin": "bob", "points": {}},
    ]
    write_json(tmp_path / "ds" / "ann" / "x.jpg.json", supervisely(*objects))
    classes = [{"title": one, "color": "#112233", "shape": "any"} for one in ("ring", "cat", "box")]
    write_json(tmp_path / "meta.json", {"classes": classes, "tags": []})
    found = read(tmp_path)
    assert found.classes.names == ("BACKGROUND", "ring", "cat", "box")
    assert found.classes.colors[1] == "#112233"
    assert found.pixels("x", "ann") == {"ring": 8}
    assert found.masks["x"]["ann"][2, 3] == 0
    assert found.pixels("x", "bob") == {"cat": 5, "box": 4}


def test_supervisely_datasets_are_annotators(tmp_path):
    for worker in ("ann", "bob"):
        one = {
            "classTitle": "cat",
            "geometryType": "polygon",
            "labelerLogin": "admin",
            "points": {"exterior": SQUARE, "interior": []},
        }
        write_json(tmp_path / worker / "ann" / "x.jpg.json", supervisely(one))
    assert list(read(tmp_path).masks["x"]) == ["ann", "bob"]


@pytest.mark.slow
def test_bitmap_that_bursts(tmp_path):
    one = {
        "classTitle": "cat",
        "geometryType": "bitmap",
        "labelerLogin": "ann",
        "bitmap": {
            "data": base64.b64encode(zlib.compress(bytes(1 << 27))).decode(),
            "origin": [0, 0],
        },
    }
    write_json(tmp_path / "ann" / "x.json", supervisely(one))
    write_json(tmp_path / "bob" / "x.json", supervisely())
    source = open_source(tmp_path)
    (item,) = source.items
    answers = dict(item.load().answers)
    assert "a bitmap of it has more than" in answers["ann"].drawn.error


@needs_shared
def test_supervisely_real_bitmap():
    found = read(FORMATS / "supervisely")
    mask = found.masks["bitmap_example"]["annotator1"]
    assert (mask.shape, int(mask.sum()), mask[3, 5]) == ((10, 12), 8, 0)


# -- LabelMe


def labelme(*shapes):
    return {
        "version": "5.0.1",
        "flags": {},
        "shapes": shapes,
        "imagePath": "..\\img\\x.jpg",
        "imageData": None,
        "imageHeight": 4,
        "imageWidth": 6,
    }


def test_labelme_json(tmp_path):
    shapes = [
        {"label": "cat", "points": SQUARE, "shape_type": "polygon"},
        {"label": "box", "points": [[6, 1], [4, 0]], "shape_type": "rectangle"},
        {"label": "ring", "points": [[5, 3], [5, 4]], "shape_type": "circle"},
        {"label": "dot", "points": [[5, 3]], "shape_type": "point"},
        {"label": "__ignore__", "points": [[0, 3], [1, 4]], "shape_type": "rectangle"},
        {
            "label": "mask",
            "points": [[2, 3], [3, 3]],
            "shape_type": "mask",
            "mask": base64.b64encode(png(np.array([[1, 0]]))).decode(),
        },
    ]
    write_json(tmp_path / "ann" / "x.json", labelme(*shapes))
    write_json(tmp_path / "bob" / "x.json", labelme())
    found = read(tmp_path)
    assert found.name == "labelme"
    assert found.pixels("x", "ann") == {"cat": 6, "box": 2, "ring": 4, "mask": 1}
    assert found.ignored("x", "ann") == 1
    assert found.pixels("x", "bob") == {}


def labelme_xml(label, user, deleted=0):
    listed = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in SQUARE)
    return (
        "<annotation><filename>x.jpg</filename>"
        f"<object><name>{label}</name><deleted>{deleted}</deleted>"
        f"<polygon><username>{user}</username>{listed}</polygon></object>"
        "<imagesize><nrows>4</nrows><ncols>6</ncols></imagesize></annotation>"
    )


def test_labelme_xml(tmp_path):
    for worker, deleted in (("ann", 0), ("bob", 1)):
        (tmp_path / worker).mkdir()
        (tmp_path / worker / "x.xml").write_text(labelme_xml("cat", worker, deleted))
    found = read(tmp_path)
    assert found.pixels("x", "ann") == {"cat": 6} and found.pixels("x", "bob") == {}
    assert found.warnings["x"] == [("bob", "1 deleted objects are left out")]
    (tmp_path / "bob" / "x.xml").unlink()
    (tmp_path / "bob" / "y.xml").write_text(labelme_xml("cat", "eve").replace("x.jpg", "y.jpg"))
    assert {i: list(one) for i, one in read(tmp_path).masks.items()} == {"x": ["ann"], "y": ["eve"]}


@needs_shared
def test_labelme_real_files():
    found = read(FORMATS / "labelme-web")
    assert len(found.masks) == 6
    expected = {
        "000000084": [("car", 2006), ("truck", 1980), ("car_276", 1945), ("car", 1991)],
        "000000276": [("car", 1936), ("car", 1813), ("car_276", 1940), ("car", 1987)],
    }
    for image, counts in expected.items():
        for worker, (label, pixels) in zip(sorted(found.masks[image]), counts, strict=True):
            assert found.pixels(image, worker) == {label: pixels}
