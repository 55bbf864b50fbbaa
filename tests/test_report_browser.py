"""The page in a real browser: what it says about pixels, its keys, its layers, its widths."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consolidation import consolidate
from consolidation.formats import open_source
from consolidation.objects.pipeline import consolidate_object
from consolidation.options import Options
from consolidation.report import render
from consolidation.simulation import simulate_job
from tests.browser import Page
from tests.report_samples import image, images, masks, report
from tests.shared_data import GROUND_TRUTH, needs_shared
from tests.test_report_page import hostile_page


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_bytes(b"".join(render(report())))
    return path


def test_pointing_tells_class_confidence_and_votes(browser: Any, file: Path) -> None:
    with Page(browser, file) as page:
        assert page.point(2, 2) == (
            "row 2, column 2 BACKGROUND 100 % confidence 3 BACKGROUND: ann, bob, cid (not counted)"
        )
        assert page.point(16, 20) == (
            "row 16, column 20 tree 67 % confidence 2 tree: ann, bob 1 road: cid (not counted)"
        )
        assert page.point(6, 5).startswith("row 6, column 5 road 67 % confidence 2 road: ann, bob")
        assert page.page.evaluate("getComputedStyle(multiples).getPropertyValue('--dot')") == "1"


def test_the_mask_has_the_jobs_colours(browser: Any, file: Path) -> None:
    with Page(browser, file) as page:
        assert page.color(2, 2) == [0, 0, 0, 0]
        assert page.color(6, 8) == [44, 160, 44, 255]
        assert page.color(16, 20) == [31, 119, 180, 255]
        page.page.click("#multiples button[title=cid]")
        page.page.wait_for_selector("#multiples button[title=cid][aria-pressed=true]")
        assert page.color(16, 20) == [44, 160, 44, 255], "cid gives road, strongly: it departs"
        assert page.color(6, 8)[3] < 200, "and pale where the consensus says the same"


def test_the_slider_fades_the_mask(browser: Any, file: Path) -> None:
    with Page(browser, file) as page:
        page.page.fill("#opacity", "25")
        assert page.page.evaluate("document.getElementById('mask').style.opacity") == "0.25"
        assert page.text("#opacity-value") == "25 %"


def test_keys(browser: Any, file: Path) -> None:
    with Page(browser, file) as page:
        page.open("image-0")
        for key, image_id in (
            ("ArrowRight", "image-1"),
            ("j", "image-2"),
            ("ArrowRight", "image-2"),
        ):
            page.page.keyboard.press(key)
            page.open(image_id)
        page.page.keyboard.press("ArrowLeft")
        page.open("image-1")
        assert page.text("#image-place") == "image 2 of 3"
        for key, layer in (("p", "picture"), ("m", "mask"), ("n", "names"), ("d", "disputed")):
            button = page.page.locator(f"#layer-{layer}")
            before = button.get_attribute("aria-pressed")
            page.page.keyboard.press(key)
            assert button.get_attribute("aria-pressed") != before
        hidden = "document.getElementById('mask').style.visibility"
        assert page.page.evaluate(hidden) == "hidden"
        page.page.keyboard.press("h")
        page.page.wait_for_selector("#doubt-legend:not([hidden])")
        page.page.keyboard.press("w")
        page.page.wait_for_selector("#multiples button[title=ann][aria-pressed=true]")
        page.page.keyboard.press("c")
        page.page.wait_for_selector("#multiples li:first-child button[aria-pressed=true]")


def test_a_pixel_is_read_out_by_keys(browser: Any, file: Path) -> None:
    with Page(browser, file) as page:
        page.page.focus("#frame")
        page.page.keyboard.press("Shift+ArrowDown")
        page.page.keyboard.press("Shift+ArrowRight")
        assert page.text("#readout").startswith("row 13, column 17 BACKGROUND")
        assert page.page.get_attribute("#readout", "aria-live") == "polite"


def test_keys_in_haste(browser: Any, file: Path) -> None:
    *_, last = images()
    with Page(browser, file) as page:
        script = """for (const key of ["ArrowRight", "h", "ArrowRight", "w", "d", "c"])
            document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }))"""
        page.page.evaluate(script)
        page.open("image-2")
        page.page.wait_for_selector("#multiples li:first-child button[aria-pressed=true]")
        assert (
            page.text("#multiples button[title=cid] .figure") == f"IoU {last.agreement['cid']:.2f}"
        )


def test_choosing_a_worker_orders_the_images(browser: Any, file: Path) -> None:
    with Page(browser, file) as page:
        page.page.click("#workers [data-worker='0']")
        page.open("image-2")
        names = page.page.locator("#strip .name").all_inner_texts()
        assert names == ["image-2", "image-0", "image-1"], "cid departs most in the last"
        page.page.wait_for_selector("#multiples button[title=cid][aria-pressed=true]")
        assert "IoU" in page.text("#strip li:first-child .departs")
        page.page.select_option("#worker", "-1")
        page.open("image-0")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_no_sideways_scroll_and_a_scheme(browser: Any, file: Path, width: int, scheme: str) -> None:
    with Page(browser, file, width, scheme) as page:
        assert page.page.evaluate("document.documentElement.scrollWidth") <= width
        color = page.page.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness = sum(map(int, re.findall(r"\d+", color)[:3]))
        assert (brightness < 200) == (scheme == "dark")


def test_everything_has_a_name(browser: Any, file: Path) -> None:
    with Page(browser, file) as page:
        nameless = page.page.evaluate(
            """() => [...document.querySelectorAll("button, select, input, img:not([hidden])")]
            .filter((one) => !(one.textContent.trim() || one.getAttribute("aria-label")
                || one.alt || one.closest("label"))).length"""
        )
        assert nameless == 0
        assert page.page.get_attribute("#picture", "alt") == "Picture of image image-0"
        assert "image-0" in page.page.get_attribute("#mask", "aria-label")


def test_hostile_text_does_nothing(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "hostile.html"
    path.write_text(hostile_page(), encoding="utf-8")
    with Page(browser, path, 360) as page:
        assert "<script>alert(1)</script>" in page.point(6, 8)
        assert page.page.evaluate("document.documentElement.scrollWidth") <= 360
        page.page.click("#workers [data-worker='1']")
        page.page.wait_for_selector("#multiples button[title=__proto__][aria-pressed=true]")


@pytest.mark.parametrize("name", ["demo", pytest.param("mturk", marks=needs_shared)])
def test_whole_jobs(browser: Any, tmp_path: Path, name: str) -> None:
    path = GROUND_TRUTH / "mturk" / "femur_ap.json"
    source = open_source(path if name == "mturk" else simulate_job(tmp_path, images=4).folder)
    made = []
    for obj in source.objects():
        result = consolidate_object(obj, source.classes(), Options())
        made.append(image(f"image {obj.id}", result.consensus, picture=None))
        last = result
    file = tmp_path / "job.html"
    file.write_bytes(b"".join(render(report(images=made, classes=last.classes, confusion=None))))
    with Page(browser, file) as page:
        for _ in made[1:]:
            page.page.keyboard.press("ArrowRight")
        page.open(made[-1].id)
        consensus = last.consensus
        size = consensus.labels.shape
        said = page.point(size[0] // 2, size[1] // 2, size)
        share = round(100 * float(consensus.confidence[size[0] // 2, size[1] // 2]))
        label = last.classes[consensus.labels[size[0] // 2, size[1] // 2]].name
        assert f" {label} {share} % confidence" in said


def test_a_reduced_image_and_noise(browser: Any, tmp_path: Path) -> None:
    large = np.kron(masks(), np.ones((1, 30, 30), np.uint8))
    noise = np.random.default_rng(0).integers(0, 3, (9, 64, 64)).astype(np.uint8)
    made = [
        image("large", consolidate(large, workers=["ann", "bob", "cid"], n_classes=3)),
        image("noise", consolidate(noise, n_classes=3)),
    ]
    path = tmp_path / "other.html"
    path.write_bytes(b"".join(render(report(images=made))))
    with Page(browser, path) as page:
        said = page.point(16, 20)
        assert said.startswith("one pixel of rows 494 to 495, columns 614 to 615 tree 67 %")
        assert "1 : 2" in page.text("#reduced")
        page.page.keyboard.press("ArrowRight")
        page.open("noise")
        label = consolidate(noise).labels[40, 50]
        name = ["BACKGROUND", "road", "tree"][label]
        assert page.point(40, 50, (64, 64)).startswith(f"row 40, column 50 {name} ")
