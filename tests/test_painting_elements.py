"""The elements that templates use: attributes, events, fields, submit."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from consolidation.labeling import segments
from consolidation.labeling.paint_folder import PaintFolder
from tests.painting_page import painting_page
from tests.painting_server import scene

EVERYTHING = """<!doctype html><html><head><style>.note { color: teal; }</style>
<script src="https://assets.crowd.aws/crowd-html-elements.js"></script></head><body>
<crowd-form id="form">
  <crowd-alert heading="Read this"><p>Carefully.</p></crowd-alert>
  <crowd-card heading="A card">Inside.</crowd-card>
  <crowd-instructions link-text="More"><p>Behind a button.</p></crowd-instructions>
  <crowd-semantic-segmentation id="annotator" name="result"
    src="{{ task.input.taskObject | grant_read_access }}" header="Find them"
    labels="['road', "car", {% for label in task.input.labels %}'{{ label }}',{% endfor %}]">
    <full-instructions header="Long ones"><p id="long">Long.</p></full-instructions>
    <short-instructions><p id="short">Short.</p></short-instructions>
  </crowd-semantic-segmentation>
  <crowd-input name="plate" label="Number plate" placeholder="ABC"></crowd-input>
  <crowd-text-area name="remarks" label="Remarks" rows="4"></crowd-text-area>
  <crowd-checkbox name="weather" value="rain" checked>Rain</crowd-checkbox>
  <crowd-checkbox name="weather" value="fog">Fog</crowd-checkbox>
  <crowd-radio-group required label="Light">
    <crowd-radio-button name="light" value="day">Day</crowd-radio-button>
    <crowd-radio-button name="light" value="night">Night</crowd-radio-button>
  </crowd-radio-group>
  <crowd-slider name="sure" min="1" max="10" step="1" value="7"></crowd-slider>
  <input name="plain" value="p">
  <select name="pick"><option>x</option><option selected>y</option></select>
  <input type="hidden" name="hidden" id="hidden">
  <crowd-unknown><span id="unknown">Shown.</span></crowd-unknown>
  <crowd-button form-action="submit" id="send">Send it</crowd-button>
</crowd-form>
<script>
  window.seen = [];
  document.addEventListener("all-crowd-elements-ready", () => {
    seen.push("ready");
    annotator.labels = annotator.labels.concat(["late"]);
  });
  document.querySelector("crowd-form").onsubmit = function (event) {
    seen.push("submit");
    if (window.stopped) event.preventDefault();
    const { pngImageData } = annotator.value.labeledImage;
    document.getElementById("hidden").value = String(pngImageData.length > 20);
  };
</script></body></html>""".replace('"car",', "'car',")


@pytest.fixture
def folder(tmp_path: Path) -> PaintFolder:
    scene(tmp_path / "pictures" / "a.png")
    return PaintFolder(tmp_path / "pictures", ["tree", "late", "road", "car"], tmp_path / "out")


def answer_of(folder: PaintFolder) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(folder.file(folder.pictures[0], "json").read_bytes())
    return answer


def test_a_template_that_uses_everything(browser: Any, folder: PaintFolder) -> None:
    with painting_page(browser, folder, EVERYTHING) as page:
        assert page.evaluate("window.seen") == ["ready"]
        assert page.evaluate("annotator.labels") == ["road", "car", "tree", "late"]
        assert page.inside.locator("#short").is_visible()
        page.inside.get_by_role("button", name="View full instructions").click()
        assert page.inside.locator("#long").is_visible()
        page.press("Escape")
        assert page.inside.locator("#unknown").is_visible()
        page.stroke((20, 20), (60, 40))
        page.inside.get_by_label("Number plate").fill("B 1")
        page.evaluate("window.stopped = true")
        send = page.inside.locator("#send")
        send.click()
        page.inside.get_by_text("Please fill in: Light").wait_for()
        page.inside.get_by_role("radio", name="Night").check()
        page.inside.get_by_role("radio", name="Day").check()
        send.click()
        assert page.evaluate("window.seen") == ["ready", "submit"]
        assert not folder.done(folder.pictures[0]), "the template's script stopped it"
        page.evaluate("window.stopped = false")
        page.saved()
        painted = page.map
        page.page.close()
        page.open()
        assert page.inside.get_by_label("Number plate").input_value() == "B 1", "part of the draft"
        page.inside.get_by_role("radio", name="Day").check()
        page.inside.locator("#send").click()
        page.inside.get_by_text("Sent").wait_for()
    answer = answer_of(folder)
    assert np.array_equal(painted, page_mask(answer, "result"))
    del answer["result"]
    assert answer == {
        "plate": "B 1",
        "weather": {"rain": True, "fog": False},
        "light": {"day": True, "night": False},
        "sure": 7,
        "plain": "p",
        "pick": "y",
        "hidden": "true",
    }


def page_mask(answer: dict[str, Any], name: str) -> Any:
    data = base64.b64decode(answer[name]["labeledImage"]["pngImageData"])
    return np.asarray(Image.open(io.BytesIO(data)))


def test_labels_are_live(browser: Any, folder: PaintFolder) -> None:
    with painting_page(browser, folder) as page:
        page.press("2")
        page.stroke((20, 20), (60, 20))
        page.press("1")
        page.stroke((20, 60), (60, 60))
        color = page.evaluate("element.value.labelMappings.late.color")
        page.evaluate("(element.labels = element.labels.filter(name => name !== 'tree'), 0)")
        assert page.map[60, 40] == 0, "a label that is gone takes its pixels along"
        assert page.map[20, 40] == 2
        assert page.label == "late"
        page.press("Control+z", "Control+z")
        assert page.map[60, 40] == 0, "and undo does not bring them back"
        assert page.map[20, 40] == 2
        page.evaluate("(element.labels = element.labels.concat('tree', 'new'), 0)")
        mappings = page.evaluate("element.value.labelMappings")
        assert list(mappings) == ["late", "road", "car", "tree", "new"]
        assert mappings["late"]["color"] == color
        assert mappings["tree"]["color"] == "#2ca02c", "colours are kept"
        assert len({value["color"] for value in mappings.values()}) == 5


def test_wrong_attributes_are_told(browser: Any, folder: PaintFolder) -> None:
    template = """<crowd-form><crowd-semantic-segmentation name="x" labels="['a', b]"
        src="{{ task.input.taskObject | grant_read_access }}"></crowd-semantic-segmentation>
        </crowd-form>
        <crowd-semantic-segmentation labels="['a']"
        src="{{ task.input.taskObject | grant_read_access }}"></crowd-semantic-segmentation>"""
    with painting_page(browser, folder, template) as page:
        told = page.frame.evaluate(
            """[...document.querySelectorAll("crowd-semantic-segmentation")]
                .map(e => e.shadowRoot.querySelector(".message").textContent)"""
        )
        assert told[0] == 'labels: column 7: a value was expected, not "b]"'
        assert told[1].startswith("This element is not inside <crowd-form>")


def test_german(browser: Any, folder: PaintFolder) -> None:
    with painting_page(browser, folder, locale="de-DE") as page:
        page.inside.get_by_role("button", name="Abschicken").wait_for()
        assert page.frame.evaluate("document.documentElement.lang") == "de"


def test_the_image_classifier(browser: Any, tmp_path: Path) -> None:
    template = """<crowd-form><crowd-image-classifier name="verdict" categories="['good', 'bad']"
        header="Is it right?" src="{{ task.input.taskObject | grant_read_access }}"
        overlay='{"semanticSegmentation": {labels: ["a"],
        "labelMappings": {"a": {"color": "#2ca02c"}},
        "src": "{{ task.input.initialValue.src }}"},}'>
        <worker-comment link-text="Say why">Why?</worker-comment>
        <short-instructions>Look.</short-instructions></crowd-image-classifier></crowd-form>"""
    mask = np.zeros((120, 160), np.uint8)
    mask[20:60, 20:60] = 1
    Image.fromarray(mask).save(tmp_path / "mask.png")
    folder = PaintFolder(
        scene(tmp_path / "a.png"), ["a"], tmp_path / "out", masks=tmp_path / "mask.png"
    )
    sent: list[Any] = []
    folder.save = lambda picture, answer: sent.append(answer)
    with painting_page(browser, folder, template, ready=".choices") as page:
        page.inside.get_by_text("good").wait_for()
        page.press("2")
        page.inside.get_by_text("Say why").click()
        page.inside.get_by_role("textbox").fill("an edge")
        with page.page.expect_response(lambda response: "/answers/" in response.url):
            page.inside.get_by_role("button", name="Submit").click()
    assert sent == [{"verdict": {"label": "bad", "workerComment": "an edge"}}]


def test_auto_segmentation(
    browser: Any, folder: PaintFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def suggest(image: Any, request: Any, cache: Any = None) -> Any:
        asked.append(request)
        if "mask" in request:
            left, top, width, _ = request["mask"]["box"]
            crop = segments.start_of(request, image.shape)[0]["mask"][
                top:, left : left + width // 2
            ]
            return {
                "masks": [
                    {
                        "name": "painted",
                        "box": [left, top, crop.shape[1], len(crop)],
                        "runs": segments.runs(crop),
                    }
                ]
            }
        (_, top), (left, _), (_, bottom), (right, _) = request["points"]
        crop = np.zeros((bottom - top + 1, right - left + 1), bool)
        crop[2:-2, 2:-2] = True
        for x, y, sign in request["clicks"]:
            crop[y - top, x - left] = sign > 0
        box = [left, top, crop.shape[1], crop.shape[0]]
        return {
            "masks": [
                {"name": "vote", "box": box, "runs": segments.runs(crop)},
                {"name": "smooth", "box": box, "runs": segments.runs(np.ones_like(crop))},
            ]
        }

    monkeypatch.setattr(segments, "suggest", suggest)
    monkeypatch.setattr(segments, "available", lambda: True)
    monkeypatch.setattr(segments, "new_cache", lambda: None)
    with painting_page(browser, folder) as page:
        points = [(50, 20), (30, 40), (50, 60), (80, 40)]
        page.press("a")
        for point in points:
            page.click(*point)
        page.inside.get_by_text("Best guess").wait_for()
        assert not page.map.any(), "a suggestion is not painted"
        page.click(30, 20)
        page.page.keyboard.down("Shift")
        page.click(60, 40)
        page.page.keyboard.up("Shift")
        page.page.wait_for_timeout(150)
        page.press("Backspace", "Backspace")
        page.page.wait_for_timeout(150)
        page.press("Tab")
        page.inside.get_by_text("Smooth outline").wait_for()
        page.press("Tab")
        page.click(31, 21)
        page.page.wait_for_timeout(150)
        page.press("Enter")
        painted = page.map
        assert painted[22:59, 32:79].all()
        assert painted.sum() == 37 * 47 + 1
        assert page.tool == "auto"
        page.press("Control+z")
        assert not page.map.any(), "one step"
        for point in points:
            page.click(*point)
        page.inside.get_by_text("Best guess").wait_for()
        page.press("Escape")
        page.inside.get_by_text("0 of 4").wait_for()
        assert not page.map.any()
        page.press("b", "2")
        page.set("size", 20)
        page.stroke((30, 90), (100, 90))
        before = page.map
        page.click(60, 90, button="right")
        page.inside.get_by_role("menuitem", name="Correct by clicks").click()
        page.inside.get_by_text("What is painted").wait_for()
        page.page.keyboard.down("Shift")
        page.click(95, 90)
        page.page.keyboard.up("Shift")
        page.page.wait_for_timeout(150)
        page.press("Enter")
        half = before.copy()
        half[:, 65:] = 0
        assert np.array_equal(page.map, half)
        page.press("Control+z")
        assert np.array_equal(page.map, before), "one step"
    assert asked[0] == {"points": [list(point) for point in points], "clicks": []}
    assert asked[2]["clicks"] == [[30, 20, 1], [60, 40, -1]]


def test_a_draft_is_read_by_names(browser: Any, tmp_path: Path) -> None:
    scene(tmp_path / "a.png")
    folder = PaintFolder(tmp_path / "a.png", ["road", "car", "tree"], tmp_path / "out")
    template = """<crowd-form><crowd-semantic-segmentation name="x" labels='["road", "car", "tree"]'
        src="{{ task.input.taskObject | grant_read_access }}"></crowd-semantic-segmentation>
        </crowd-form>"""
    with painting_page(browser, folder, template) as page:
        for label, row in (("1", 20), ("2", 50), ("3", 80)):
            page.press(label)
            page.stroke((20, row), (60, row))
        page.saved()
        page.page.close()
        # the owner has changed the template meanwhile
        page.painting.template = template.replace('"road", "car", "tree"', '"tree", "road"')
        page.open()
        assert [int(page.map[row, 40]) for row in (20, 50, 80)] == [2, 0, 1]
