"""CVAT: XML by itself, in folders and zips; segmentation masks; who drew what."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
from PIL import Image

from consolidation.errors import SourceError
from consolidation.formats import open_source
from tests.format_writers import cvat_mask, cvat_xml
from tests.reading import read
from tests.shared_data import FORMATS as SAMPLES
from tests.shared_data import needs_shared
from tests.test_label_studio import DERIVED

FORMATS = SAMPLES / "cvat"
LABELS = "<labels>{}</labels>"


def spot(height=4, width=6):
    return np.ones((height, width), np.uint8)


def label(name, color="", kind="any"):
    return f"<label><name>{name}</name><color>{color}</color><type>{kind}</type></label>"


def job(number, user="", labels=""):
    assignee = f"<assignee><username>{user}</username><email>{user}@x.org</email></assignee>"
    return f"<job><id>{number}</id>{assignee if user else '<assignee/>'}{labels}</job>"


def write(path, *images, meta=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(cvat_xml(images, meta), encoding="utf-8")
    return path


def test_all_shapes(tmp_path):
    inner = (
        cvat_mask("mask", spot(2, 3), left=1, top=1)
        + '<polygon label="polygon" points="10,0;14,0;14,2;10,2" z_order="0"/>'
        + '<box label="box" xtl="0" ytl="6" xbr="4" ybr="8" z_order="0"/>'
        + '<box label="turned" xtl="10" ytl="6" xbr="14" ybr="8" rotation="90" z_order="0"/>'
        + '<ellipse label="ellipse" cx="18" cy="8" rx="1" ry="1" z_order="0"/>'
        + '<tag label="mask"/><points label="mask" points="1,1"/><polyline label="mask" points=""/>'
    )
    found = read(write(tmp_path / "a.xml", ("i/x.jpg", 20, 10, inner)))
    (mask,) = found.masks["i/x"].values()
    index = {name: k for k, name in enumerate(found.classes.names)}
    assert np.argwhere(mask == index["mask"]).tolist() == [
        [row, column] for row in (1, 2) for column in (1, 2, 3)
    ]
    assert np.argwhere(mask == index["turned"]).tolist() == [
        [row, column] for row in range(5, 9) for column in (11, 12)
    ]
    assert {name: int((mask == k).sum()) for name, k in index.items() if k} == {
        "mask": 6,
        "polygon": 8,
        "box": 8,
        "turned": 8,
        "ellipse": 4,
    }
    assert sum(note.startswith("left out, shapes without an area") for note in found.notes) == 3


def test_z_order_then_order(tmp_path):
    inner = cvat_mask("a", spot(), z=5) + cvat_mask("b", spot(), z=-1) + cvat_mask("c", spot(), z=5)
    found = read(write(tmp_path / "a.xml", ("x.jpg", 6, 4, inner)))
    assert found.pixels("x", "a") == {"c": 24}


def test_classes_are_the_files_own(tmp_path):
    labels = LABELS.format(label("zebra", "#112233") + label("dot", kind="points") + label("ant"))
    path = write(
        tmp_path / "a.xml", ("x.jpg", 6, 4, cvat_mask("ant", spot())), meta=job(1, "", labels)
    )
    classes = open_source(path).classes()
    assert classes.names == ("BACKGROUND", "zebra", "ant")
    assert dict(classes.colors) == {1: "#112233"}


def test_who_drew_it(tmp_path):
    image = ("x.jpg", 6, 4, cvat_mask("ant", spot()))
    write(tmp_path / "one" / "1.xml", image, meta=job(1, "ann"))
    write(tmp_path / "one" / "2.xml", image, meta=job(2, "bob"))
    write(tmp_path / "one" / "3.xml", image, meta=job(3))
    assert sorted(read(tmp_path / "one").masks["x"]) == ["ann", "bob", "job-3"]
    assert "ann@x.org" in read(tmp_path / "one", emails=True).masks["x"]
    # the same name on the same image would be one answer: files say who is who
    write(tmp_path / "two" / "first" / "annotations.xml", image, meta=job(1, "admin"))
    write(tmp_path / "two" / "second" / "annotations.xml", image, meta=job(2, "admin"))
    assert sorted(read(tmp_path / "two").masks["x"]) == ["first", "second"]


def test_zips(tmp_path):
    for worker, size in (("ann", 3), ("bob", 2)):
        text = cvat_xml([("x.jpg", 6, 4, cvat_mask("ant", spot(size, size)))], job(size, worker))
        with zipfile.ZipFile(tmp_path / f"{worker}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("annotations.xml", text)
            archive.writestr("images/x.jpg", b"")
    found = read(tmp_path)
    assert {w: found.pixels("x", w) for w in found.masks["x"]} == {
        "ann": {"ant": 9},
        "bob": {"ant": 4},
    }
    assert read(tmp_path / "ann.zip").pixels("x", "ann") == {"ant": 9}


def test_what_cvat_merged_is_no_vote(tmp_path):
    image = ("x.jpg", 6, 4, cvat_mask("ant", spot()))
    write(tmp_path / "1.xml", image, meta=job(1, "ann"))
    merged = image[3].replace('source="manual"', 'source="consensus"')
    write(tmp_path / "2.xml", (*image[:3], merged), meta=job(2, "bob"))
    found = read(tmp_path)
    assert list(found.masks["x"]) == ["ann"]
    assert "2.xml is left out: CVAT merged it" in found.notes[0]


def test_images_of_a_project_with_one_name(tmp_path):
    text = cvat_xml([("x.jpg", 6, 4, cvat_mask("ant", spot()))] * 2)
    first, second = 'id="0" name', 'id="1" name'
    text = text.replace(first, 'id="0" subset="a" task_id="4" name')
    text = text.replace(second, 'id="1" subset="b" task_id="5" name')
    (tmp_path / "p.xml").write_text(text)
    assert open_source(tmp_path / "p.xml").ids == ["a/4/x", "b/5/x"]


def test_points_alone_are_no_blank_answer(tmp_path):
    points = '<points label="cat" points="1,1"/><tag label="cat"/><tag label="dog"/>'
    for worker, inner in (("ann", cvat_mask("cat", np.ones((2, 2)))), ("bob", points), ("eve", "")):
        (tmp_path / f"{worker}.xml").write_text(cvat_xml([("x.png", 6, 4, inner)]))
    found = read(tmp_path)
    assert sorted(found.masks["x"]) == ["ann", "eve"]
    assert dict(found.warnings["x"])["bob"] == (
        "answer dropped: nothing in it has an area: points 1, tag 2"
    )
    with pytest.raises(SourceError, match=r"nothing in it has an area .*\(points\) 1, .*\(tag\) 2"):
        open_source(tmp_path / "bob.xml").classes()


def test_empty_image_is_blank_and_damaged_one_is_dropped(tmp_path):
    bad = '<mask label="ant" rle="3, 4" left="0" top="0" width="6" height="4" z_order="0"/>'
    nan = '<box label="ant" xtl="nan" ytl="0" xbr="1" ybr="1"/>'
    write(tmp_path / "a.xml", ("x.jpg", 6, 4, ""), ("y.jpg", 6, 4, ""), meta=job(1, "ann"))
    write(tmp_path / "b.xml", ("x.jpg", 6, 4, bad), ("y.jpg", 6, 4, nan), meta=job(2, "bob"))
    found = read(tmp_path)
    assert list(found.masks["x"]) == list(found.masks["y"]) == ["ann"]
    assert found.warnings["x"] == [
        ("bob", "answer dropped: its runs cover 7 pixels, the image has 24")
    ]
    assert found.warnings["y"] == [("bob", "answer dropped: it is damaged: xtl is 'nan'")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('<!DOCTYPE a [<!ENTITY b "c">]><annotations>&b;</annotations>', "document type"),
        ("<annotations><track/></annotations>", "export of a video"),
        ("<annotations><image></annotations>", "is not XML: mismatched tag"),
        ("<annotations>", "is not XML: no element found"),
        ("<annotations/>", "no annotation in this export"),
    ],
)
def test_files_that_are_refused(tmp_path, text, says):
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(SourceError, match=says):
        open_source(tmp_path / "a.xml", None if "DOCTYPE" not in text else cvat())


def cvat():
    from consolidation.formats import SourceOptions

    return SourceOptions(format="cvat")


def test_segmentation_masks(tmp_path):
    text = "# label:color_rgb:parts:actions\nbackground:0,0,0::\nant:255,0,0::\nbee:0,255,0::\n"
    rgb = np.zeros((4, 6, 3), np.uint8)
    rgb[0, :3], rgb[1, :2], rgb[2, 0] = (255, 0, 0), (0, 255, 0), (1, 2, 3)
    for worker in ("ann", "bob"):
        folder = tmp_path / "folders" / worker
        (folder / "SegmentationClass" / "sub").mkdir(parents=True)
        (folder / "labelmap.txt").write_text(text)
        Image.fromarray(rgb).save(folder / "SegmentationClass" / "sub" / "x.png")
    lists = tmp_path / "folders" / "ann" / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "default.txt").write_text("sub/x\nempty\n")
    (tmp_path / "zips").mkdir()
    with zipfile.ZipFile(tmp_path / "zips" / "ann.zip", "w") as archive:
        for path in (tmp_path / "folders" / "ann").rglob("*.*"):
            archive.write(path, path.relative_to(tmp_path / "folders" / "ann").as_posix())
    for place, workers in (("folders", ["ann", "bob"]), ("zips", ["ann"])):
        found = read(tmp_path / place)
        assert found.classes.names == ("BACKGROUND", "ant", "bee")
        assert dict(found.classes.colors) == {1: "#ff0000", 2: "#00ff00"}
        assert list(found.masks["sub/x"]) == workers
        assert found.pixels("sub/x", "ann") == {"ant": 3, "bee": 2}
        assert found.ignored("sub/x", "ann") == 1
        assert found.warnings["sub/x"][0] == ("ann", "1 pixels of no label's color are ignored")
    # what is listed and has no mask is blank
    source = open_source(tmp_path / "zips")
    assert sorted(source.ids) == ["empty", "sub/x"]
    items = {item.id: item for item in source.items}
    [(worker, answer)] = items["empty"].load().answers
    assert worker == "ann" and not answer.drawn.regions
    (tmp_path / "folders" / "ann" / "labelmap.txt").write_text("ant:255,0::")
    with pytest.raises(SourceError, match="is no class such as cat:44,160,44::"):
        open_source(tmp_path / "folders")


@pytest.mark.slow
@needs_shared
def test_real_files():
    found = read(FORMATS / "docs_example.xml")
    assert found.pixels("filename000", "docs_example") == {"car": 149}
    rows, columns = np.nonzero(found.masks["filename000"]["docs_example"])
    assert (rows.min(), columns.min()) == (888, 707)
    found = read(FORMATS / "job_export_2025.xml")
    assert len(found.masks) == 14
    assert found.masks["pexels-arina-krasnikova-7726103"]["job-1"].shape == (4000, 2670)
    assert found.classes.names == ("BACKGROUND", "Cat", "Cats")


@needs_shared
def test_derived_export():
    found = read(FORMATS / "derived")
    for image, workers in DERIVED.items():
        expected = {f"worker_{number}": pixels for number, pixels in workers.items()}
        assert {w: found.pixels(image, w)["cfos"] for w in found.masks[image]} == expected
