"""Jobs whose method needs all images first: auto, weighted, dawid-skene."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from consolidation.cli import main
from consolidation.commands.evaluate import evaluate_folders
from consolidation.commands.run import run_job
from consolidation.jobs.work import objects as work
from consolidation.options import Options
from consolidation.simulation import simulate_job

KINDS = ["careful", "careful", "sloppy", "noise", "blank"]


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")
    return simulate_job(folder, images=10, size=(96, 128), kinds=KINDS, missing=0.0)


def files(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / "masks").iterdir())}


def test_auto_names_the_junk_in_summary_tables_and_provenance(job, tmp_path):
    summary = run_job(job.folder, tmp_path / "auto", Options())
    junk = {"private.us-east-1.noise01", "private.us-east-1.blank01"}
    provenance = json.loads((tmp_path / "auto" / "provenance.json").read_text())
    assert provenance["auto"]["reason"] == summary.method
    assert set(provenance["auto"]["junk"]) == junk
    assert set(provenance["reliability"]["junk"]) == junk
    with (tmp_path / "auto" / "workers.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["worker"] for row in rows[:2]} == junk
    assert [row["junk"] for row in rows] == ["yes", "yes", "no", "no", "no"]
    blank = next(row for row in rows if "blank" in row["worker"])
    assert blank["blank_answers"] == "10"


def test_auto_beats_plurality_where_there_is_junk(job, tmp_path):
    scores = {}
    for method in ("auto", "plurality", "weighted", "dawid-skene"):
        run_job(job.folder, tmp_path / method, Options(method=method))
        scores[method] = evaluate_folders(tmp_path / method, job.truth).mean_iou
    assert scores["auto"] > scores["plurality"]
    assert scores["weighted"] > scores["plurality"]
    assert scores["dawid-skene"] > 0.8


def test_the_same_bytes_twice_and_with_threads(job, tmp_path, monkeypatch):
    monkeypatch.setattr("consolidation.objects.prepare.PIXELS_WORTH_THREADS", 1)
    for name, threads in (("one", 1), ("again", 1), ("four", 4)):
        run_job(job.folder, tmp_path / name, Options(threads=threads))
    one, again, four = (files(tmp_path / name) for name in ("one", "again", "four"))
    assert one == again == four
    for table in ("images.csv", "workers.csv", "reliability.json", "warnings.jsonl"):
        assert (tmp_path / "one" / table).read_bytes() == (tmp_path / "four" / table).read_bytes()


def test_reliability_goes_on_from_an_earlier_job(job, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    assert main(["run", str(job.folder), "--out", str(first), "--quiet"]) == 0
    known = str(first / "reliability.json")
    again = ["run", str(job.folder), "--out", str(second), "--quiet", "--reliability", known]
    assert main(again) == 0
    counts = json.loads((second / "reliability.json").read_text())["workers"]
    assert {images for images, *_ in counts.values()} == {20}


def test_a_wrong_reliability_file_is_one_line(job, tmp_path, capsys):
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{}")
    command = ["run", str(job.folder), "--out", str(tmp_path / "o"), "--reliability", str(wrong)]
    assert main(command) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "holds no reliability statistics" in error


def test_a_defect_in_one_object_harms_no_other(job, tmp_path, monkeypatch):
    original = work.consolidate_object

    def defective(obj, *rest):
        if obj.id == "3":
            raise MemoryError("no room")
        return original(obj, *rest)

    monkeypatch.setattr(work, "consolidate_object", defective)
    summary = run_job(job.folder, tmp_path, Options(method="plurality"))
    assert (summary.images, summary.failures) == (9, 1)
    failure = json.loads((tmp_path / "failures.jsonl").read_text())
    assert failure == {"object": "3", "reason": "out of memory: no room"}


def test_options_say_what_was_done(job, tmp_path):
    options = Options(method="weighted", smoothing=0.5)
    run_job(job.folder, tmp_path, options)
    provenance = json.loads((tmp_path / "provenance.json").read_text())
    assert provenance["options"] == options.results()
    assert provenance["classes"] == list(job.class_names)


def test_confidence_maps(job, tmp_path):
    command = ["run", str(job.folder), "--out", str(tmp_path), "--quiet", "--confidence-maps"]
    assert main(command) == 0
    for name in files(tmp_path):
        image = Image.open(tmp_path / "confidence" / name)
        assert image.mode == "L"
        values = np.asarray(image)
        assert values.max() == 255
        assert 0 < (values < 255).mean() < 1


@pytest.mark.parametrize(("text", "written"), [("yes", True), ("0", False)])
def test_confidence_maps_by_environment(job, tmp_path, monkeypatch, text, written):
    monkeypatch.setenv("CONSOLIDATION_CONFIDENCE_MAPS", text)
    assert main(["run", str(job.folder), "--out", str(tmp_path), "--quiet"]) == 0
    assert (tmp_path / "confidence").exists() == written


def test_a_wrong_truth_value_is_one_line(job, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CONSOLIDATION_CONFIDENCE_MAPS", "maybe")
    assert main(["run", str(job.folder), "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error == ("consolidate: CONSOLIDATION_CONFIDENCE_MAPS must be yes or no, not 'maybe'\n")


def test_source_date_epoch_fixes_every_byte(job, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1600000000")
    for name in ("one", "two"):
        run_job(job.folder, tmp_path / name, Options())
    for path in sorted(path for path in (tmp_path / "one").rglob("*") if path.is_file()):
        other = tmp_path / "two" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == other.read_bytes()
    assert (
        b'"creation-date":"2020-09-13T12:26:40.000000"'
        in (tmp_path / "one" / "output.manifest").read_bytes()
    )


def test_what_cannot_be_written_is_said_before_the_work(job, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(work, "consolidate_object", None)
    occupied = tmp_path / "file"
    occupied.write_text("")
    assert main(["run", str(job.folder), "--out", str(occupied)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("place", ["source", "out"])
def test_s3_is_not_taken_for_a_folder(job, tmp_path, capsys, place):
    source, out = str(job.folder), str(tmp_path / "out")
    if place == "source":
        source = "s3://bucket/job"
    else:
        out = "s3://bucket/out"
    assert main(["run", source, "--out", out]) == 2
    error = capsys.readouterr().err
    assert "s3://bucket/" in error
    assert error.count("\n") == 1


def test_a_run_leaves_smoothing_out_where_it_takes_sides(tmp_path):
    kinds = ("careful", "careful", "careful", "dilates", "dilates")
    job = simulate_job(tmp_path / "job", images=10, classes=1, kinds=kinds, missing=0)
    told = {}
    for name, options in (("chosen", Options()), ("asked", Options(smoothing=0.5))):
        summary = run_job(job.folder, tmp_path / name, options)
        told[name] = json.loads((tmp_path / name / "provenance.json").read_text())["auto"]
        assert ("without smoothing" in summary.method) == (name == "chosen")
    assert [told[name]["smooths"] for name in ("chosen", "asked")] == [False, True]
    run_job(job.folder, tmp_path / "plain", Options(method="plurality", smoothing=0))
    for path in sorted((tmp_path / "plain" / "masks").iterdir()):
        mask = np.asarray(Image.open(path))
        np.testing.assert_array_equal(
            mask, np.asarray(Image.open(tmp_path / "chosen" / "masks" / path.name))
        )
