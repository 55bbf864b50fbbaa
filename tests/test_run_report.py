"""What a run tells people: its report, cards of its images, its tables, its list for review."""

from __future__ import annotations

import csv
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from consolidation import Calibration
from consolidation.cli import main
from consolidation.commands.run import run_job
from consolidation.errors import OptionError
from consolidation.jobs import Progress
from consolidation.jobs.results.tables import IMAGE_COLUMNS, WORKER_COLUMNS
from consolidation.options import Options
from consolidation.simulation import simulate_job
from tests import wire
from tests.browser import Page
from tests.wire import PLAIN, entry, json_lines, plain, write_json

KINDS = ["careful", "careful", "sloppy", "careful", "blank"]


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six images, the fifth worker of which leaves every one blank; one object fails."""
    folder = tmp_path_factory.mktemp("job")
    simulate_job(folder, images=6, workers=5, size=(60, 80), kinds=KINDS, missing=0.0)
    [request] = folder.glob("annotations/**/*.json")
    entries = json.loads(request.read_text())
    bad = entry("bad", ("w", wire.picture_content(b"GIF")))
    request.write_text(json.dumps([*entries, bad]))
    return folder


@pytest.fixture(scope="module")
def out(job: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    options = Options(review_below=0.999, report_images=4, job_name="<b>my job</b>", jobs=1)
    run_job(job, folder, options)
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def embedded(out: Path) -> str:
    return (out / "report.html").read_text(encoding="utf-8")


def held(out: Path) -> list[str]:
    """Ids of the images whose pixels are in the report, in its order."""
    texts = re.findall(
        r'<script type="application/json" class="about">(.*?)</script>', embedded(out)
    )
    return [json.loads(text)["id"] for text in texts]


# -- report


def test_the_report_holds_the_neediest_images_only(out: Path) -> None:
    ids = [row["id"] for row in rows(out / "images.csv")]
    page = embedded(out)
    assert "&lt;b&gt;my job&lt;/b&gt;" in page
    assert "<b>my job" not in page
    assert held(out) == ids[:4]
    assert not list(out.glob(".consolidation/snapshots/*")), "they are in the report now"


def test_its_page_opens_on_the_neediest_image(browser: Any, out: Path) -> None:
    ids = [row["id"] for row in rows(out / "images.csv")]
    with Page(browser, out / "report.html") as page:
        reasons = ""
        for one in ids[:4]:
            page.open(one)
            reasons += page.text("#image-regions")
            page.page.keyboard.press("ArrowRight")
        assert "(careful0" in reasons
        assert "private." not in reasons
        assert "images 6 1 failure " in page.text("#overview")
        worker = rows(out / "workers.csv")[0]["worker"]
        assert worker.removeprefix("private.us-east-1.") in page.text("#workers")
        assert "BACKGROUND" in page.text("#classes")


def test_without_a_report(job: Path, tmp_path: Path) -> None:
    arguments = ["run", str(job), "--out", str(tmp_path), "--no-report", "--quiet", "--jobs", "1"]
    assert main(arguments) == 1
    assert not (tmp_path / "report.html").exists()
    # asked for later: nothing is decided again, and the page is written
    before = (tmp_path / "output.manifest").read_bytes()
    arguments.remove("--no-report")
    assert main([*arguments, "--report-images", "2"]) == 1
    ids = [row["id"] for row in rows(tmp_path / "images.csv")]
    assert held(tmp_path) == ids[:2]
    assert (tmp_path / "output.manifest").read_bytes() == before


class StopError(Exception):
    pass


def test_a_run_that_was_stopped_has_the_same_report(job: Path, tmp_path: Path) -> None:
    options = Options(report_images=3, jobs=1)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run_job(job, whole, options)

    def stop(at: Progress) -> None:
        if at.done >= 7 + 4:  # of the second pass
            raise StopError

    with pytest.raises(StopError):
        run_job(job, parts, options, on_progress=stop)
    assert not (parts / "report.html").exists()
    assert run_job(job, parts, options).now < 7
    pages = [wire.undated(embedded(one).encode()) for one in (whole, parts)]
    assert pages[0] == pages[1]


# -- tables


def test_tables_say_whom_and_what_to_trust(out: Path) -> None:
    images, workers = rows(out / "images.csv"), rows(out / "workers.csv")
    assert tuple(images[0]) == IMAGE_COLUMNS
    needs = [float(row["need"]) for row in images]
    assert needs == sorted(needs, reverse=True)
    labels = json.loads((out / "provenance.json").read_text())["classes"]
    assert tuple(workers[0]) == (*WORKER_COLUMNS, *(f"iou {one}" for one in labels))
    blank = workers[0]
    assert blank["junk"] == "yes"
    assert blank["blank_answers"] == blank["images"] == "6"
    for row in workers[1:]:
        low, at, high = (
            float(row[name]) for name in ("reliability_low", "reliability", "reliability_high")
        )
        assert 0 <= low <= at <= high <= 1
        assert float(row["iou BACKGROUND"]) > 0.5
    by_worker = {row["worker"]: float(row["reliability"]) for row in workers}
    assert min(by_worker, key=by_worker.__getitem__) == blank["worker"]


def test_alpha_of_the_job_is_kept(out: Path) -> None:
    told = json.loads((out / "provenance.json").read_text())["reliability"]
    assert 0 < told["krippendorff_alpha"] < 1
    assert math.isclose(told["krippendorff_alpha"], round(told["krippendorff_alpha"], 6))


def test_a_plain_vote_tells_how_workers_agree_too(job: Path, out: Path, tmp_path: Path) -> None:
    told = (out / "reliability.json").read_bytes()
    run_job(job, tmp_path, Options(method="plurality", jobs=1))
    assert (tmp_path / "reliability.json").read_bytes() == told
    bare = tmp_path / "bare"
    run_job(job, bare, Options(method="plurality", jobs=1, report=False))
    assert not (bare / "reliability.json").exists()
    for column in ("reliability", "junk"):
        assert {row[column] for row in rows(bare / "workers.csv")} == {""}
    # asked for too late: half of it would be wrong
    run_job(job, bare, Options(method="plurality", jobs=1, report_images=2))
    assert not (bare / "reliability.json").exists()


def test_twins_and_what_was_not_said_are_in_the_table(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    entries = []
    for number in range(4):
        masks = random.integers(0, 3, (3, 30, 40))
        answers = [(name, wire.content(mask)) for name, mask in zip("abc", masks, strict=True)]
        entries.append(entry(str(number), *answers, ("copy", wire.content(masks[1]))))
    source = write_json(tmp_path / "request.json", entries)
    run_job(source, tmp_path / "out", Options(jobs=1, report=False))
    told = {row["worker"]: row["twins"] for row in rows(tmp_path / "out" / "workers.csv")}
    assert told == {"a": "", "b": "copy", "c": "", "copy": "b"}


# -- regions, review, calibration


def test_regions_name_object_box_and_reason(out: Path) -> None:
    regions = json_lines(out / "regions.jsonl")
    assert regions
    for one in regions:
        box = one["box"]
        assert box["top"] >= 0
        assert box["left"] >= 0
        assert 0 < box["height"] <= 60 - box["top"]
        assert 0 < box["width"] <= 80 - box["left"]
        assert box["height"] * box["width"] >= one["area"] >= Options().min_region
        assert one["reason"]


def test_the_review_manifest_is_of_those_below(out: Path) -> None:
    images = rows(out / "images.csv")
    below = [row["id"] for row in images if float(row["confidence"]) < 0.999]
    lines = json_lines(out / "review.manifest")
    assert len(lines) == len(below) > 0
    masks = {row["id"]: row["mask"] for row in images}
    assert [line["consolidated-ref"] for line in lines] == [masks[one] for one in below]


def test_whom_only_one_worker_looked_at_is_reviewed(tmp_path: Path) -> None:
    alone = entry("alone", ("a", wire.content([[1, 2]])))
    both = entry("both", ("a", wire.content([[1, 2]])), ("b", wire.content([[1, 2]])))
    source = write_json(tmp_path / "r.json", [alone, both])
    run_job(source, tmp_path / "out", plain(review_below=0.5))
    [line] = json_lines(tmp_path / "out" / "review.manifest")
    assert line["consolidated-ref"] == "masks/alone.png"
    assert line["consolidated-ref-metadata"]["internal-color-map"]["1"]["confidence"] == 0


def test_nothing_of_an_earlier_run_stays_beside_the_results(job: Path, tmp_path: Path) -> None:
    told = {"reliability.json", "review.manifest", "report.html"}
    run_job(job, tmp_path, Options(review_below=0.9, jobs=1))
    main(["show", "0", "--out", str(tmp_path)])
    assert told | {"show"} <= {path.name for path in tmp_path.iterdir()}
    (tmp_path / "reliability.json").unlink()
    run_job(job, tmp_path, Options(review_below=0.9, jobs=1))
    assert (tmp_path / "reliability.json").exists(), "it is missed"
    run_job(job, tmp_path, Options(jobs=1, report=False))
    assert {path.name for path in tmp_path.iterdir()} & told == {"reliability.json"}
    run_job(job, tmp_path, plain(jobs=1), restart=True)
    assert not {path.name for path in tmp_path.iterdir()} & told
    assert not list(tmp_path.glob("show/*"))


def test_reliability_is_for_methods_that_use_it(out: Path, job: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--reliability is of no use to --method plurality"):
        run_job(job, tmp_path, PLAIN, reliability=out / "reliability.json")


def test_a_calibration_maps_every_confidence(tmp_path: Path) -> None:
    masks = np.array([[[0, 1, 1, 1]], [[0, 1, 1, 1]], [[0, 1, 1, 2]]])
    answers = [(name, wire.content(mask)) for name, mask in zip("abc", masks, strict=True)]
    source = write_json(tmp_path / "request.json", [entry("one", *answers)])
    share = np.repeat([2 / 3, 1.0], 100)
    given = Calibration.fit([(share, np.arange(200) >= 90) for _ in range(20)])
    (tmp_path / "map.json").write_text(given.to_json())
    expected = float(given(np.array([2 / 3], np.float32))[0])
    assert expected < 0.3
    options = plain(calibration=str(tmp_path / "map.json"), confidence_maps=True)
    run_job(source, tmp_path / "out", options)
    with Image.open(tmp_path / "out" / "confidence" / "one.png") as image:
        values = np.asarray(image)
    assert values[0, 3] == round(255 * expected)


# -- cards


def test_one_image_on_a_card(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    neediest = rows(out / "images.csv")[0]["id"]
    assert main(["show", neediest, "--out", str(out)]) == 0
    path = Path(capsys.readouterr().out.strip())
    with Image.open(path) as image:
        assert image.width > 200
    first = path.read_bytes()
    assert main(["show", neediest, "--out", str(out)]) == 0
    assert path.read_bytes() == first
    capsys.readouterr()
    for arguments, reason in (
        (["nothing", "--out", str(out)], "'nothing' is no object of this run; the first are "),
        (["bad", "--out", str(out)], "no answer"),
        ([neediest, "--out", str(tmp_path)], "holds no finished run"),
    ):
        assert main(["show", *arguments]) == 2
        error = capsys.readouterr().err
        assert reason in error
        assert error.count("\n") == 1


def test_no_card_of_what_has_changed_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_json(tmp_path / "r.json", [entry("one", ("a", wire.content([[1, 2]])))])
    (tmp_path / "map.json").write_text(Calibration().to_json())
    monkeypatch.chdir(tmp_path)
    arguments = ["run", "r.json", "--out", "out", "--quiet", "--no-report", "--calibration"]
    assert main([*arguments, "map.json"]) == 0
    assert main([*arguments, "./map.json"]) == 0, "the same map"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(["show", "one", "--out", "../out"]) == 0
    (tmp_path / "map.json").write_text(Calibration(((0, 0), (1, 0.5))).to_json())
    assert main(["show", "one", "--out", "../out"]) == 2
    assert "map.json is not what it was when the run was made" in capsys.readouterr().err
    source.write_text(source.read_text() + "\n")
    assert main(["show", "one", "--out", "../out"]) == 2
    assert "r.json is not what it was when the run was made" in capsys.readouterr().err


@pytest.mark.parametrize("method", ["plurality", "weighted", "dawid-skene"])
def test_a_card_shows_what_the_run_decided(
    job: Path, tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import consolidation.commands.show as module

    shown = []
    show = module.show
    monkeypatch.setattr(
        module, "show", lambda result, *a, **k: shown.append(result) or show(result, *a, **k)
    )
    run_job(job, tmp_path, Options(method=method, report=False, jobs=1))
    first = rows(tmp_path / "images.csv")[0]
    module.show_object(tmp_path, first["id"])
    with Image.open(tmp_path / first["mask"]) as image:
        np.testing.assert_array_equal(np.asarray(image), shown[0].labels)
