"""Volumes and stacks, slice by slice, and written back; files of one class each."""

from __future__ import annotations

import gzip
import pickle

import numpy as np
import pytest
from PIL import Image

from consolidation.commands.run import run_job
from consolidation.errors import OptionError, SourceError
from consolidation.formats import SourceOptions, open_source
from consolidation.formats.patterns import compile_pattern
from consolidation.masks import decode_indices
from consolidation.options import Options
from tests.reading import read
from tests.shared_data import FORMATS as SAMPLES
from tests.shared_data import needs_shared
from tests.test_label_studio import DERIVED

nibabel = pytest.importorskip("nibabel", reason="nibabel is not installed")
tifffile = pytest.importorskip("tifffile", reason="tifffile is not installed")

FORMATS = SAMPLES / "nifti"
AFFINE = np.diag([-1.0, -1.0, 3.0, 1.0])
PLAIN = Options(method="plurality", smoothing=0.0, ties="lowest", jobs=1, report=False)


def volume(seed, shape=(5, 4, 3), classes=3):
    """Columns, rows, slices."""
    return np.random.default_rng(seed).integers(0, classes, shape).astype(np.uint8)


def save(path, values, affine=AFFINE, kind=nibabel.Nifti1Image, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = kind(values, affine)
    for name, value in how.items():
        getattr(image.header, name)(*value)
    nibabel.save(image, path)
    return path


def majority(volumes):
    counts = np.stack([(np.stack(volumes) == k).sum(axis=0) for k in range(3)])
    return counts.argmax(axis=0)


def test_volumes_are_voted_on_and_written_back(tmp_path):
    volumes = {worker: volume(n) for n, worker in enumerate(("ann", "bob", "cid"))}
    for worker, values in volumes.items():
        save(tmp_path / "job" / f"case1_seg{worker}.nii.gz", values)
    found = read(tmp_path / "job")
    assert sorted(found.masks) == ["case1/0", "case1/1", "case1/2"]
    for worker, values in volumes.items():
        for k in range(3):
            np.testing.assert_array_equal(found.masks[f"case1/{k}"][worker], values[:, :, k].T)
    run_job(tmp_path / "job", tmp_path / "out", PLAIN)
    back = nibabel.load(tmp_path / "out" / "volumes" / "case1.nii.gz")
    np.testing.assert_array_equal(np.asanyarray(back.dataobj), majority(list(volumes.values())))
    np.testing.assert_array_equal(back.affine, AFFINE)
    assert back.get_data_dtype() == np.uint8
    first = (tmp_path / "out" / "volumes" / "case1.nii.gz").read_bytes()
    run_job(tmp_path / "job", tmp_path / "out", PLAIN, restart=True)
    assert (tmp_path / "out" / "volumes" / "case1.nii.gz").read_bytes() == first


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.int32])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_kinds_of_nifti(tmp_path, kind, dtype, ending):
    values = volume(1).astype(dtype)
    for worker in "ab":
        save(tmp_path / worker / f"x{ending}", values, kind=kind)
    found = read(tmp_path, masks=f"{{worker}}/{{image}}{ending}")
    np.testing.assert_array_equal(found.masks["x/2"]["b"], values[:, :, 2].T)


def test_scaled_numbers_and_fractions(tmp_path):
    values = volume(1).astype(np.int16)
    header = nibabel.Nifti1Header()
    for worker, data, slope in (("a", values, 1), ("b", values // 2 * 2, 0.5), ("c", values, 0.25)):
        image = nibabel.Nifti1Image(data, AFFINE, header)
        path = tmp_path / worker / "x.nii"
        path.parent.mkdir()
        nibabel.save(image, path)
        raw = bytearray(path.read_bytes())
        raw[112:116] = np.float32(slope).tobytes()
        path.write_bytes(raw)
    found = read(tmp_path, masks="{worker}/{image}.nii")
    np.testing.assert_array_equal(found.masks["x/1"]["b"], (values // 2)[:, :, 1].T)
    assert "c" not in found.masks["x/1"]
    assert "probabilities are no vote" in dict(found.warnings["x/1"])["c"]


def test_grids_that_differ_are_refused(tmp_path):
    save(tmp_path / "x_sega.nii.gz", volume(1))
    save(tmp_path / "x_segb.nii.gz", volume(1, (5, 4, 2)))
    save(tmp_path / "y_sega.nii.gz", volume(1))
    save(tmp_path / "y_segb.nii.gz", volume(1), AFFINE + np.eye(4) * 0.01)
    save(tmp_path / "z_sega.nii.gz", volume(1))
    save(tmp_path / "z_segb.nii.gz", volume(1), AFFINE + np.eye(4) * 1e-5)
    found = read(tmp_path)
    assert found.errors == {
        "x": "raters a and b have 5 x 4 x 3 against 5 x 4 x 2 voxels; volumes are not resampled",
        "y": "raters a and b have affines that differ by 0.01; volumes are not resampled",
    }
    assert sorted(found.masks) == ["z/0", "z/1", "z/2"]


def test_damaged_volumes(tmp_path):
    good = save(tmp_path / "x_sega.nii.gz", volume(1))
    raw = gzip.decompress(good.read_bytes())
    (tmp_path / "x_segb.nii.gz").write_bytes(gzip.compress(raw[:-30]))
    (tmp_path / "x_segc.nii.gz").write_bytes(gzip.compress(raw)[:-20])
    (tmp_path / "x_segd.nii.gz").write_bytes(b"\x1f\x8bnothing")
    lies = bytearray(raw)
    lies[42:48] = np.array([30000, 30000, 30000], "<i2").tobytes()
    (tmp_path / "y_sega.nii.gz").write_bytes(gzip.compress(bytes(lies)))
    (tmp_path / "y_segb.nii.gz").write_bytes(gzip.compress(bytes(lies)))
    source = open_source(tmp_path)
    assert any("x_segd" in note for note in source.notes)
    found = read(tmp_path, classes=source.classes())
    assert list(found.masks["x/0"]) == ["a", "b"] and list(found.masks["x/2"]) == ["a"]
    assert "is cut off in slice 2" in dict(found.warnings["x/2"])["b"]
    assert "slices of 30000 x 30000 pixels, the limit is" in found.errors["y"]


def test_who_is_no_rater(tmp_path):
    for rater in ("1", "2", "STAPLE"):
        save(tmp_path / f"longciu_{rater}_tgt.nii.gz", volume(3))
    found = read(tmp_path, preset="longciu")
    assert list(found.masks["longciu/0"]) == ["1", "2"]
    assert "STAPLE" in found.notes[0]


def test_the_picture_is_no_rater(tmp_path):
    for name in ("rater1", "rater2", "image", "FLAIR", "consensus"):
        save(tmp_path / "case1" / f"{name}.nii.gz", volume(3, (5, 4, 1)))
    found = read(tmp_path)
    assert list(found.masks["case1"]) == ["rater1", "rater2"]
    assert sum("no rater's" in note for note in found.notes) == 3


def test_pictures_other_than_png(tmp_path):
    values = volume(1, (7, 5), classes=3)
    for worker in "ab":
        (tmp_path / worker).mkdir()
        image = Image.fromarray(values)
        image.save(tmp_path / worker / "x.bmp")
        image.save(tmp_path / worker / "x.webp", lossless=True)
        palette = image.convert("P")
        palette.putdata(values.reshape(-1).tolist())
        palette.save(tmp_path / worker / "y.bmp")
    for ending in ("bmp", "webp"):
        found = read(tmp_path, masks=f"{{worker}}/{{image}}.{ending}")
        np.testing.assert_array_equal(found.masks["x"]["b"], values)
    np.testing.assert_array_equal(
        read(tmp_path, masks="{worker}/{image}.bmp").masks["y"]["a"], values
    )
    Image.fromarray(values * 100).save(tmp_path / "b" / "x.webp", quality=50)
    found = read(tmp_path, masks="{worker}/{image}.webp")
    assert list(found.masks["x"]) == ["a"]
    assert "changes class indices" in dict(found.warnings["x"])["b"]
    (tmp_path / "b" / "x.webp").write_bytes((tmp_path / "a" / "x.webp").read_bytes()[:40])
    assert list(read(tmp_path, masks="{worker}/{image}.webp").masks["x"]) == ["a"]
    rgb = np.zeros((7, 5, 3), np.uint8)
    rgb[0, 0] = (9, 0, 0)
    Image.fromarray(rgb).save(tmp_path / "b" / "x.bmp")
    found = read(tmp_path, masks="{worker}/{image}.bmp")
    assert "is a colour picture" in dict(found.warnings["x"])["b"]


@pytest.mark.parametrize(
    ("preset", "name", "image"),
    [
        ("qubiq", "case01/task01_seg{}.nii.gz", "case01/task01"),
        ("msseg", "p1/Masks/ManualSegmentation_{}.nii.gz", "p1"),
        (
            "bids",
            "derivatives/labels/sub-X/anat/sub-X_T2w_label-root_rater{}.nii.gz",
            "sub-X_T2w_label-root",
        ),
        (
            "bids",
            "derivatives/labels/s/anat/s_T2w_lesion-manual-rater{}.nii.gz",
            "s_T2w_lesion-manual",
        ),
        ("longciu", "longciu_{}_tgt.nii.gz", "longciu"),
    ],
)
def test_presets_and_guesses(tmp_path, preset, name, image):
    for rater in "12":
        save(tmp_path / name.format(rater), volume(3, (5, 4, 1)))
    for how in ({"preset": preset}, {}):
        found = read(tmp_path, **how)
        assert {key: list(one) for key, one in found.masks.items()} == {image: ["1", "2"]}


def test_nothing_to_guess_by(tmp_path):
    save(tmp_path / "scan.nii.gz", volume(3))
    with pytest.raises(SourceError, match=r"which part is the image and which the rater"):
        open_source(tmp_path)


def test_numpy_and_tiff(tmp_path):
    values = volume(1, (3, 4, 5))
    for worker in "ab":
        (tmp_path / worker).mkdir()
        np.save(tmp_path / worker / "x.npy", values)
        np.save(tmp_path / worker / "f.npy", np.asfortranarray(values))
        tifffile.imwrite(tmp_path / worker / "x.tif", values, photometric="minisblack")
        tifffile.imwrite(tmp_path / worker / "flat.tif", values[0])
    for pattern, image in (
        ("{worker}/{image}.npy", "x/1"),
        ("{worker}/{image}.npy", "f/1"),
        ("{worker}/{image}.tif", "x/1"),
    ):
        found = read(tmp_path, masks=pattern)
        np.testing.assert_array_equal(found.masks[image]["b"], values[1])
    np.testing.assert_array_equal(found.masks["flat"]["a"], values[0])
    for kind, back in (("npy", np.load), ("tif", tifffile.imread)):
        out = tmp_path / f"out-{kind}"
        reading = SourceOptions(masks=f"{{worker}}/{{image}}.{kind}")
        run_job(tmp_path, out, PLAIN, source_options=reading)
        np.testing.assert_array_equal(back(out / "volumes" / f"x.{kind}"), values)


def test_stacks_of_raters(tmp_path):
    values = volume(1, (3, 4, 5))
    np.savez(tmp_path / "x.npz", ann=values[0], bob=values[1])
    np.save(tmp_path / "y.npy", values)
    found = read(tmp_path / "x.npz", format="volumes")
    np.testing.assert_array_equal(found.masks["x"]["bob"], values[1])
    found = read(tmp_path, masks="{image}.npy")
    assert list(found.masks["y"]) == ["1", "2", "3"]
    run_job(
        tmp_path / "y.npy", tmp_path / "out", PLAIN, source_options=SourceOptions(format="volumes")
    )
    assert decode_indices((tmp_path / "out" / "masks" / "y.png").read_bytes()).shape == (4, 5)
    assert not (tmp_path / "out" / "volumes").exists()


@pytest.mark.parametrize("shape", [(40, 50, 3), (40, 50, 10)])
def test_channels_are_no_slices(tmp_path, shape):
    for worker in "ab":
        (tmp_path / worker).mkdir()
        np.save(tmp_path / worker / "x.npy", np.ones(shape, bool))
        tifffile.imwrite(tmp_path / worker / "x.tif", np.ones(shape, np.uint8), photometric=0)
    for ending in ("npy", "tif"):
        source = open_source(tmp_path, SourceOptions(masks=f"{{worker}}/{{image}}.{ending}"))
        with pytest.raises(SourceError, match=r"can be read: .*channels of 40 x 50 .*argmax"):
            source.classes()


def test_how_an_array_is_read_is_said(tmp_path):
    for worker in "ab":
        (tmp_path / worker).mkdir()
        for image in "xy":
            np.save(tmp_path / worker / f"{image}.npy", np.ones((3, 40, 50), bool))
    notes = read(tmp_path, masks="{worker}/{image}.npy").notes
    said = "read as 3 slices of 40 x 50 pixels, by the first axis: x and 1 more"
    assert list(notes).count(said) == 1


def test_an_archive_of_a_worker_is_refused_with_the_cause(tmp_path):
    for worker in "ab":
        (tmp_path / worker).mkdir()
        np.savez(tmp_path / worker / "x.npz", np.ones((40, 50), bool))
    source = open_source(tmp_path, SourceOptions(masks="{worker}/{image}.npz"))
    with pytest.raises(SourceError, match=r"can be read: .*x\.npz is an archive.*save it as \.npy"):
        source.classes()


def test_names_of_classes(tmp_path):
    for rater in "12":
        save(tmp_path / f"x_seg{rater}.nii.gz", volume(3))
    assert open_source(tmp_path).classes().names == ("BACKGROUND", "class-1", "class-2")
    (tmp_path / "dataset.json").write_text('{"labels": {"background": 0, "lesion": 1, "core": 2}}')
    assert open_source(tmp_path).classes().names == ("BACKGROUND", "lesion", "core")


def test_items_are_small_and_travel(tmp_path):
    for rater in "12":
        save(tmp_path / f"x_seg{rater}.nii.gz", volume(3, (200, 200, 20)))
    item = open_source(tmp_path).items[7]
    again = pickle.loads(pickle.dumps(item))
    assert len(pickle.dumps(item)) < 4000
    worker, answer = again.load().answers[1]
    assert worker == "2" and answer.load(Options()).values.shape == (200, 200)


def test_patterns():
    for text in (
        "{image}.png",
        "{image}{image}{worker}",
        "{worker}",
        "{image}/{worker}/{rater}.png",
    ):
        with pytest.raises(OptionError, match="--masks must have"):
            compile_pattern(text)
    match = compile_pattern("**/{worker}/{image}-{label}.png").fullmatch("a/b/ann/x-y-cat.png")
    assert match.groupdict() == {"worker": "ann", "image": "x-y", "label": "cat"}
    assert compile_pattern("**/{image}/{worker}.png").fullmatch("x/ann.png")["image"] == "x"


@needs_shared
def test_derived_files():
    found = read(FORMATS)
    for case, (image, workers) in zip(("case01", "case02"), DERIVED.items(), strict=True):
        masks = found.masks[f"{case}/task01"]
        expected = {f"0{number}": pixels for number, pixels in workers.items()}
        assert {w: int(mask.sum()) for w, mask in masks.items()} == expected, image
        assert all(mask.shape == (1024, 1344) for mask in masks.values())


# -- one file a class


def test_one_file_a_class(tmp_path):
    cat, dog = np.zeros((4, 6), np.uint8), np.zeros((4, 6), np.uint8)
    cat[:2], dog[1:3] = 255, 1
    for worker in ("ann", "bob"):
        folder = tmp_path / "x" / worker
        folder.mkdir(parents=True)
        Image.fromarray(cat).save(folder / "cat.png")
        if worker == "ann":
            Image.fromarray(dog).save(folder / "dog.png")
    found = read(tmp_path, masks="{image}/{worker}/{label}.png")
    assert found.pixels("x", "ann") == {"cat": 6, "dog": 12}
    assert found.pixels("x", "bob") == {"cat": 12}
    assert found.warnings["x"] == [("ann", "6 pixels of 'cat' lie under 'dog', which counts")]
    each = read(tmp_path, masks="{image}/{worker}/{label}.png", multilabel=True)
    assert each.pixels("x/cat", "ann") == {"cat": 12}
    assert each.pixels("x/dog", "ann") == {"dog": 12}
    np.save(tmp_path / "x" / "bob" / "dog.npy", dog[:2])
    with pytest.raises(SourceError, match="no masks such as"):
        read(tmp_path, masks="{image}/{worker}-{label}.png")


def test_files_of_a_class_of_several_sizes(tmp_path):
    for worker in ("ann", "bob"):
        (tmp_path / worker).mkdir()
        for label, size in (("cat", (4, 6)), ("dog", (4, 6) if worker == "ann" else (2, 2))):
            np.save(tmp_path / worker / f"x_{label}.npy", np.ones(size, bool))
    found = read(tmp_path, masks="{worker}/{image}_{label}.npy")
    assert list(found.masks["x"]) == ["ann"]
    assert "its files have several sizes: 2 x 2, 6 x 4" in dict(found.warnings["x"])["bob"]
