"""Label Studio: every form of export, every kind of region, and what is no vote."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from consolidation.errors import SourceError
from consolidation.formats import SourceOptions, job_classes, json_stream, open_source
from tests import format_writers as writers
from tests.format_writers import ls_brush, ls_item, ls_task, write_json
from tests.reading import read
from tests.shared_data import FORMATS as SAMPLES
from tests.shared_data import needs_shared

FORMATS = SAMPLES / "label-studio"
SIZE = (10, 20)
DERIVED = {
    "inns1_1107": {"1": 4444, "3": 6625, "4": 5930, "5": 5277},
    "inns1_1114": {"1": 13687, "3": 27992, "4": 18982, "5": 20858},
}


def spot(top, left, bottom, right, size=SIZE):
    mask = np.zeros(size, np.uint8)
    mask[top:bottom, left:right] = 1
    return mask


def png_url(mask, mode="RGBA"):
    rgba = np.zeros((*mask.shape, 4), np.uint8)
    rgba[..., 3] = mask * 255
    file = io.BytesIO()
    Image.fromarray(rgba, "RGBA").convert(mode).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def percent(label_key, label, **value):
    return ls_item("r", {label_key: [label], **value}, SIZE, type=label_key)


def one(tmp_path, *items, **more):
    """What one annotator's items become."""
    path = write_json(tmp_path / "export.json", [ls_task(1, {7: items}, **more)])
    return read(path)


def test_all_kinds_of_regions(tmp_path):
    cases = {
        "brush": (ls_brush("r", "cat", spot(2, 3, 5, 9)), spot(2, 3, 5, 9)),
        "bitmask": (
            ls_item(
                "r", {"bitmasklabels": ["cat"], "imageDataURL": png_url(spot(0, 0, 3, 3))}, SIZE
            ),
            spot(0, 0, 3, 3),
        ),
        "polygon": (
            percent(
                "polygonlabels", "cat", points=[[0, 0], [50, 0], [50, 50], [0, 50]], closed=True
            ),
            spot(0, 0, 5, 10),
        ),
        "rectangle": (
            percent("rectanglelabels", "cat", x=10, y=20, width=20, height=30, rotation=0),
            spot(2, 2, 5, 6),
        ),
        # 4 x 2 pixels, turned by a quarter around its corner at (10, 2): goes down and to the left
        "turned": (
            percent("rectanglelabels", "cat", x=50, y=20, width=20, height=20, rotation=90),
            spot(2, 8, 6, 10),
        ),
    }
    for name, (item, expected) in cases.items():
        found = one(tmp_path, item)
        np.testing.assert_array_equal(found.masks["image-1"]["7"], expected, name)
    found = one(
        tmp_path, percent("ellipselabels", "cat", x=50, y=50, radiusX=10, radiusY=20, rotation=0)
    )
    from tests.naive_formats import ellipse

    np.testing.assert_array_equal(found.masks["image-1"]["7"], ellipse(10, 5, 2, 2, 0, *SIZE))


def test_region_as_two_items_is_one(tmp_path):
    brush = ls_brush("r1", None, spot(0, 0, 4, 4)) | {"type": "brush"}
    labels = ls_brush("r1", None, spot(0, 0, 4, 4)) | {"type": "labels", "from_name": "label"}
    labels["value"]["labels"] = ["cat"]
    comment = {"id": "r1", "type": "textarea", "from_name": "t", "value": {"text": ["ok"]}}
    for items in ((brush, labels, comment), (labels, brush), (comment, brush, labels)):
        found = one(tmp_path, *items)
        assert found.pixels("image-1", "7") == {"cat": 16}
        assert found.warnings["image-1"] == []


def test_what_is_no_vote_is_left_out_and_counted(tmp_path):
    task = ls_task(1, {1: [ls_brush("a", "cat", spot(0, 0, 2, 2))], 2: [], 3: []})
    task["annotations"][2]["was_cancelled"] = True
    task["drafts"] = [{"id": 1}]
    task["predictions"] = [{"result": []}, {"result": []}]
    path = write_json(tmp_path / "e.json", [task, ls_task(2, {})])
    found = read(path)
    assert sorted(found.masks["image-1"]) == ["1", "2"]  # an empty result is a blank mask
    assert found.notes == (
        "left out, cancelled annotations: 1",
        "left out, drafts: 1",
        "left out, predictions: 2",
        "left out, tasks without an annotation: 1",
    )


def test_truth_is_no_vote(tmp_path):
    task = ls_task(1, {1: [ls_brush("a", "cat", spot(0, 0, 2, 2))], 2: []})
    task["annotations"][1] |= {
        "ground_truth": True,
        "result": [ls_brush("b", "dog", spot(0, 0, 1, 1))],
    }
    other = ls_task(2, {1: [ls_brush("a", "cat", spot(0, 0, 2, 2))]})
    source = open_source(write_json(tmp_path / "e.json", [task, other]))
    assert [item.id for item in source.items] == ["image-1", "image-2"]
    assert [worker for worker, _ in source.items[0].load().answers] == ["1"]
    assert list(source.truths()) == ["image-1"]
    assert [worker for worker, _ in source.truths()["image-1"].load().answers] == ["2"]
    assert source.classes().names == ("BACKGROUND", "cat", "dog")


def test_who_it_is_by(tmp_path):
    task = ls_task(1, dict.fromkeys(range(5), ()))
    people = [3, {"id": 4, "email": "ann@x.org"}, {"email": "Bob@x.org"}, "5", None]
    for annotation, by in zip(task["annotations"], people, strict=True):
        annotation["completed_by"] = by
        annotation["result"] = [ls_brush("a", "cat", spot(0, 0, 2, 2))]
    path = write_json(tmp_path / "e.json", [task])
    found = read(path)
    workers = list(found.masks["image-1"])
    assert workers[:2] == ["3", "4"] and workers[3:] == ["5", "annotation-104"]
    assert workers[2].startswith("person-") and "bob" not in workers[2].lower()
    assert found.warnings["image-1"] == [("annotation-104", "who it is by is not said")]
    assert list(read(path, emails=True).masks["image-1"])[1:3] == ["ann@x.org", "Bob@x.org"]


def test_latest_of_one_person_counts(tmp_path):
    task = ls_task(1, dict.fromkeys(range(2), ()))
    for annotation, (day, spot_) in zip(
        task["annotations"], [("09", spot(0, 0, 4, 4)), ("08", spot(0, 0, 1, 1))], strict=True
    ):
        annotation |= {"completed_by": 1, "updated_at": f"2026-01-{day}T00:00:00Z"}
        annotation["result"] = [ls_brush("a", "cat", spot_)]
    found = read(write_json(tmp_path / "e.json", [task]))
    assert found.pixels("image-1", "1") == {"cat": 16}
    assert found.warnings["image-1"] == [("1", "answered more than once, the latest counts")]


def test_copies_are_told(tmp_path):
    task = ls_task(1, {1: [ls_brush("a", "cat", spot(0, 0, 2, 2))]})
    task["annotations"][0] |= {"parent_annotation": 9, "parent_prediction": 3}
    found = read(write_json(tmp_path / "e.json", [task]))
    assert [text for _, text in found.warnings["image-1"]] == [
        "it began as a copy of another annotation: not independent",
        "it began as a copy of a prediction",
    ]
    assert "not independent: 1" in found.notes[0]


def test_several_images_a_task(tmp_path):
    pages = [ls_brush("a", "cat", spot(0, 0, 2, 2)) | {"item_index": page} for page in (0, 1)]
    pages[1]["id"] = "b"
    task = ls_task(1, {1: pages, 2: pages[:1]}, data={"pages": ["a/1.png", "a/2.png"]})
    found = read(write_json(tmp_path / "e.json", [task]))
    assert sorted(found.masks) == ["1", "2"]
    assert found.pixels("2", "1") == {"cat": 4} and found.pixels("2", "2") == {}
    named = [
        ls_brush(name, "cat", spot(0, 0, 2, 2)) | {"to_name": name} for name in ("left", "right")
    ]
    task = ls_task(1, {1: named}, data={"left": "/x/l.png", "right": "/x/r.png"})
    assert sorted(read(write_json(tmp_path / "e.json", [task])).masks) == ["l", "r"]


def test_annotation_that_cannot_be_used_is_dropped_alone(tmp_path):
    good = ls_brush("a", "cat", spot(0, 0, 2, 2))
    cut = ls_brush("a", "cat", spot(0, 0, 2, 2))
    cut["value"]["rle"] = cut["value"]["rle"][:9]
    lies = ls_brush("a", "cat", spot(0, 0, 2, 2))
    lies["value"]["rle"][:4] = [255] * 4
    turned = good | {"image_rotation": 90}
    other = ls_brush("b", "cat", spot(0, 0, 2, 2, (5, 5)))
    nothing = ls_item("a", {"brushlabels": ["cat"], "format": "rle", "rle": []}, SIZE)
    url = ls_item(
        "a", {"bitmasklabels": ["cat"], "imageDataURL": "data:image/jpeg;base64,xx"}, SIZE
    )
    small = ls_item(
        "a", {"bitmasklabels": ["cat"], "imageDataURL": png_url(spot(0, 0, 1, 1, (3, 3)))}, SIZE
    )
    nan = percent("rectanglelabels", "cat", x="1", y=0, width=1, height=1)
    people = [good, cut, lies, turned, [good, other], nothing, url, small, nan]
    task = ls_task(1, {n: one if isinstance(one, list) else [one] for n, one in enumerate(people)})
    found = read(write_json(tmp_path / "e.json", [task]))
    assert sorted(found.masks["image-1"]) == ["0", "5"]
    said = dict(found.warnings["image-1"])
    for worker, text in {
        "1": "its brush is cut off after 9 bytes",
        "2": "is made for 1,073,741,824 pixels",
        "3": "turned by 90 degrees",
        "4": "on images of several sizes: 5 x 5, 20 x 10",
        "5": "1 region of 'cat' without a pixel",
        "6": "no data:image/png;base64,",
        "7": "3 x 3 pixels, the image 20 x 10",
        "8": "x is '1'",
    }.items():
        assert text in said[worker], (worker, said[worker])


def test_shapes_without_an_area(tmp_path):
    line = percent("polygonlabels", "cat", points=[[0, 0], [50, 50], [9, 9]], closed=False)
    point = ls_item(
        "p", {"keypointlabels": ["cat"], "x": 1, "y": 1, "width": 1}, SIZE, type="keypointlabels"
    )
    two = percent("brushlabels", "cat", **ls_brush("x", None, spot(0, 0, 2, 2))["value"])
    two["value"]["brushlabels"] = ["cat", "dog"]
    two["id"] = "two"
    found = one(tmp_path, line, point, two)
    assert found.pixels("image-1", "7") == {"cat": 4}
    assert [text for _, text in found.warnings["image-1"]] == [
        "2 shapes without an area are left out",
        "1 regions have several labels, of which the first counts",
    ]
    # no blank answer
    task = ls_task(1, {1: [line, point], 2: [], 3: [two]})
    found = read(write_json(tmp_path / "export.json", [task]))
    assert sorted(found.masks["image-1"]) == ["2", "3"]
    said = dict(found.warnings["image-1"])["1"]
    assert said.startswith("answer dropped: none of its 2 shapes has an area")


def test_nothing_with_an_area_is_refused(tmp_path):
    choice = {"type": "choices", "from_name": "c", "value": {"choices": ["good"]}}
    point = ls_item("p", {"x": 1, "y": 1, "width": 1}, SIZE, type="keypointlabels")
    path = write_json(tmp_path / "e.json", [ls_task(1, {1: [choice], 2: [point], 3: []})])
    with pytest.raises(SourceError, match="has an area, there is only: choices 1, keypointlabels"):
        open_source(path)
    # a choice beside what others painted says nothing of pixels
    brush = ls_brush("a", "cat", spot(0, 0, 2, 2))
    found = one(tmp_path, brush, choice)
    assert found.pixels("image-1", "7") == {"cat": 4} and found.warnings["image-1"] == []


def test_overlaps_and_options(tmp_path):
    items = [ls_brush("a", "plaque", spot(0, 0, 10, 10)), ls_brush("b", "scale", spot(0, 0, 4, 4))]
    path = write_json(tmp_path / "e.json", [ls_task(1, {1: items})])
    found = read(path)
    assert found.pixels("image-1", "1") == {"plaque": 84, "scale": 16}
    assert (
        found.warnings["image-1"][0][1] == "16 pixels of 'plaque' lie under 'scale', which counts"
    )
    assert read(path, priority=("plaque",)).pixels("image-1", "1") == {"plaque": 100}
    assert read(path, unpainted="ignore").ignored("image-1", "1") == 100
    each = read(path, multilabel=True)
    assert each.pixels("image-1/plaque", "1") == {"plaque": 100}
    assert each.pixels("image-1/scale", "1") == {"scale": 16}


def test_size_is_taken_from_elsewhere(tmp_path):
    bare = ls_brush("a", "cat", spot(0, 0, 2, 2))
    bare = {key: value for key, value in bare.items() if not key.startswith("original")}
    whole = ls_brush("a", "cat", spot(0, 0, 3, 3))
    task = ls_task(1, {1: [bare], 2: [whole]})
    found = read(write_json(tmp_path / "e.json", [task]))
    assert found.pixels("image-1", "1") == {"cat": 4}
    alone = write_json(tmp_path / "alone" / "e.json", [ls_task(1, {1: [bare]})])
    assert "the size of its image is not known" in read(alone).errors["image-1"]
    Image.new("RGB", (20, 10)).save(tmp_path / "alone" / "0a1b2c3d-image-1.png")
    assert read(alone).pixels("image-1", "1") == {"cat": 4}


@pytest.mark.parametrize("picture", ["0a1b2c3d-image-2.png", "image-2.png", "images/image-2.png"])
def test_blank_answers_alone_need_the_picture(tmp_path, picture):
    (tmp_path / "images").mkdir()
    tasks = [ls_task(1, {1: [ls_brush("a", "cat", spot(0, 0, 2, 2))]}), ls_task(2, {1: [], 2: []})]
    path = write_json(tmp_path / "e.json", tasks)
    assert read(path).errors["image-2"].count("the size of its image is not known") == 2
    Image.new("RGB", (20, 10)).save(tmp_path / picture)
    found = read(path)
    assert not found.errors and list(found.masks["image-2"]) == ["1", "2"]


def test_forms_of_export(tmp_path):
    brushes = {person: [ls_brush("a", "cat", spot(0, 0, person, person))] for person in (1, 2)}
    task = ls_task(1, brushes)
    expected = {"1": {"cat": 1}, "2": {"cat": 4}}
    old = {key: value for key, value in task.items() if key != "annotations"}
    old["completions"] = [dict(one) for one in task["annotations"]] + [
        {"id": 9, "completed_by": 3, "skipped": True, "result": []}
    ]
    files = {
        "one": {"export.json": [task]},
        "object": {"task-1.json": task},
        "old": {"export.json": [old]},
        "storage": {
            str(one["id"]): one | {"task": {"id": 1, "data": task["data"]}}
            for one in task["annotations"]
        },
        "min": {
            "export.json": [
                {
                    "id": 1,
                    "image": task["data"]["image"],
                    "annotator": one["completed_by"],
                    "annotation_id": one["id"],
                    "label": [
                        one["result"][0]["value"]
                        | {"original_width": SIZE[1], "original_height": SIZE[0]}
                    ],
                }
                for one in task["annotations"]
            ]
        },
    }
    for form, written in files.items():
        for name, content in written.items():
            # storages get files without an ending
            write_json(tmp_path / form / name, content, indent=1)
        found = read(tmp_path / form)
        assert found.name == "label-studio", form
        assert {w: found.pixels("image-1", w) for w in found.masks["image-1"]} == expected, form


def test_json_min_with_shapes_twice(tmp_path):
    value = ls_brush("a", None, spot(0, 0, 2, 2))["value"] | {
        "original_width": 20,
        "original_height": 10,
    }
    entry = {"id": 1, "image": "x.png", "annotator": 1, "annotation_id": 1}
    entry |= {"brush": [value], "label": [value | {"labels": ["cat"]}]}
    found = read(write_json(tmp_path / "e.json", [entry]))
    assert found.pixels("x", "1") == {"cat": 4} and found.ignored("x", "1") == 0


def test_pictures_of_brushes(tmp_path):
    for number, (person, annotation, mask) in enumerate(
        [
            ("1", 11, spot(0, 0, 2, 2)),
            ("1", 11, spot(5, 5, 7, 7)),
            ("ann@x.org", 12, spot(0, 0, 3, 3)),
        ]
    ):
        name = f"task-5-annotation-{annotation}-by-{person}-tag-big-cat-{number}"
        if number:
            Image.fromarray(mask * 200).save(tmp_path / f"{name}.png")
        else:
            np.save(tmp_path / f"{name}.npy", mask * 255)
    found = read(tmp_path)
    assert found.name == "label-studio-brushes"
    assert found.pixels("task-5", "1") == {"big-cat": 8}
    (other,) = set(found.masks["task-5"]) - {"1"}
    assert other.startswith("person-") and found.pixels("task-5", other) == {"big-cat": 9}


def test_ids_are_tasks_where_pictures_have_one_name(tmp_path):
    tasks = [ls_task(n, {1: []}, data={"image": f"s3://b/{n}/x.png"}) for n in (4, 9)]
    tasks[0]["annotations"][0]["result"] = [ls_brush("a", "cat", spot(0, 0, 2, 2))]
    source = open_source(write_json(tmp_path / "e.json", tasks))
    assert source.ids == ["4", "9"]
    assert source.items[0].load().line == {"source-ref": "s3://b/4/x.png"}


def test_one_id_of_several_pictures_is_several_objects(tmp_path):
    answer = {1: [ls_brush("a", "cat", spot(0, 0, 2, 2))]}
    for file, more in (("p", {}), ("q", {"project": 2})):
        data = {"image": f"/data/upload/1/{file}.png"}
        write_json(tmp_path / f"{file}.json", [ls_task(1, answer, data=data, **more)])
    found = read(tmp_path)
    assert {key: list(masks) for key, masks in found.masks.items()} == {"p": ["1"], "q": ["1"]}
    assert "id of another picture's, each an object of its own: 1" in found.notes[0]
    # one name: ids are keys
    same = {"image": "/data/upload/2/p.png"}
    write_json(tmp_path / "q.json", [ls_task(1, answer, data=same)])
    assert open_source(tmp_path).ids == ["1", "1/p.png"]
    # a signature is no other picture
    for file in "pq":
        data = {"image": f"https://h/p.png?X-Signature={file}"}
        person = {file: answer[1]}
        write_json(tmp_path / f"{file}.json", [ls_task(1, person, data=data)])
    assert list(read(tmp_path).masks["p"]) == ["p", "q"]
    # pictures in the export itself
    for file in "pq":
        data = {"image": f"data:image/png;base64,{file}"}
        write_json(tmp_path / f"{file}.json", [ls_task(1, answer, data=data)])
    assert open_source(tmp_path).ids == ["1", "1/2"]


def test_damaged_files(tmp_path):
    path = tmp_path / "e.json"
    text = json.dumps([ls_task(1, {1: [ls_brush("a", "cat", spot(0, 0, 2, 2))]})])
    path.write_text(text[:-20])
    with pytest.raises(SourceError, match="is not JSON: cut off after"):
        open_source(path)
    path.write_text(text.replace('"drafts": []', '"drafts" []'))
    with pytest.raises(SourceError, match="is not JSON: the entry at byte 1"):
        open_source(path)
    write_json(path, [ls_task(1, {})])
    with pytest.raises(SourceError, match="no annotation in this export of Label Studio"):
        open_source(path)
    write_json(path, [ls_task(1, {1: []})])
    with pytest.raises(SourceError, match="no region in it has a label: give --labels"):
        open_source(path).classes()


def test_classes_of_the_labeling_configuration(tmp_path):
    path = write_json(
        tmp_path / "e.json", [ls_task(1, {1: [ls_brush("a", "cat", spot(0, 0, 2, 2))]})]
    )
    config = tmp_path / "config.xml"
    config.write_text(
        '<View><Image name="i" value="$image"/><Choices name="c"><Choice value="no"/></Choices>'
        '<BrushLabels name="t" toName="i"><Label value="zebra" background="#FF0000"/>'
        '<Label value="cat" background="rgba(0, 0, 255, 1)"/></BrushLabels></View>'
    )
    classes = job_classes(open_source(path, SourceOptions(labels=config)), config)
    assert classes.names == ("BACKGROUND", "zebra", "cat")
    assert dict(classes.colors) == {1: "#ff0000", 2: "#0000ff"}
    config.write_text("<View><Choices/></View>")
    with pytest.raises(SourceError, match="is no configuration of Label Studio"):
        job_classes(open_source(path), config)


def test_windows_that_cut_tasks(tmp_path, monkeypatch):
    tasks = [ls_task(n, {1: [ls_brush("a", "cat", spot(0, 0, n, n))]}) for n in range(1, 9)]
    path = write_json(tmp_path / "e.json", tasks, indent=2)
    whole = read(path)
    monkeypatch.setattr(json_stream, "WINDOW", 100)
    cut = read(path)
    for n in range(1, 9):
        assert cut.pixels(f"image-{n}", "1") == whole.pixels(f"image-{n}", "1") == {"cat": n * n}


@pytest.mark.slow
@needs_shared
def test_real_exports():
    found = read(FORMATS / "full_export_2025.json")
    assert len(found.masks) == 14
    assert all(list(one) == ["1"] for one in found.masks.values())
    assert found.masks["pexels-arina-krasnikova-7726103"]["1"].shape == (4000, 2670)
    found = read(FORMATS / "polygons_sdk.json")
    assert found.pixels("image2", "1") == {"Airplane": 19239}
    for name in ("polygon", "ellipse", "brush_no_size", "rectangle_with_predictions"):
        found = read(FORMATS / f"{name}.json")
        (error,) = found.errors.values()
        assert error.count("worker ") == 1 and "the size of its image is not known" in error
    assert found.notes == ("left out, predictions: 2",)


@needs_shared
def test_real_brush_with_its_picture(tmp_path):
    text = (FORMATS / "brush_no_size.json").read_text()
    (tmp_path / "e.json").write_text(text)
    name = "nick-owuor-astro-nic-visuals-wDifg5xc9Z4-unsplash"
    Image.new("L", (2242, 2802)).save(tmp_path / f"{name}.jpg")
    assert read(tmp_path / "e.json").pixels(name, "annotation-1001") == {"Planet": 260_411}


@needs_shared
def test_derived_export():
    found = read(FORMATS / "derived_four_annotators.json")
    assert found.classes.names == ("BACKGROUND", "cfos")
    for image, workers in DERIVED.items():
        assert {w: found.pixels(image, w)["cfos"] for w in found.masks[image]} == workers


@pytest.mark.slow
@needs_shared
def test_sdk_export_as_our_writer():
    tasks = json.loads((FORMATS / "derived_four_annotators.json").read_text())
    found = read(FORMATS / "derived_four_annotators.json")
    value = tasks[0]["annotations"][0]["result"][0]["value"]
    mask = found.masks["inns1_1107"]["1"]
    again = writers.brush(mask * 255)
    assert writers.brush(mask * 255)[:7] == value["rle"][:7]
    from tests.naive_formats import brush

    assert brush(bytes(again))[3::4] == (mask.reshape(-1) * 255).tolist()
