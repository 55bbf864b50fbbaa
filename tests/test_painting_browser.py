"""The painting page in a real browser: tools, keys, modes, drafts, pictures, answers."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from consolidation.commands.run import run_job
from consolidation.labeling.masks import read_mask
from consolidation.labeling.paint_folder import PaintFolder
from tests.painting_page import PaintingPage, painting_page
from tests.painting_server import scene

LABELS = ["road", "car", "tree"]
SEED = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-semantic-segmentation name="crowd-semantic-segmentation"
 src="{{ task.input.taskObject | grant_read_access }}" header="Label this"
 labels="{{ task.input.labels | to_json | escape }}">
<full-instructions header="All of it">Long.</full-instructions>
<short-instructions>Short.</short-instructions></crowd-semantic-segmentation></crowd-form>"""


@pytest.fixture
def folder(tmp_path: Path) -> PaintFolder:
    scene(tmp_path / "pictures" / "a.png")
    return PaintFolder(tmp_path / "pictures", LABELS, tmp_path / "out")


def picture_of(answer: dict[str, Any]) -> Image.Image:
    value = next(part for part in answer.values() if "labeledImage" in part)
    return Image.open(io.BytesIO(base64.b64decode(value["labeledImage"]["pngImageData"])))


def test_what_is_painted_is_sent_and_consolidated(
    browser: Any, folder: PaintFolder, tmp_path: Path
) -> None:
    with painting_page(browser, folder, SEED) as page:
        page.stroke((20, 20), (60, 40))
        page.press("2")
        page.stroke((100, 80), (140, 80))
        page.press("e")
        page.stroke((120, 60), (120, 100))
        painted = page.map
        answer = page.submit()
        page.inside.get_by_text("Sent").wait_for()
    assert set(np.unique(painted)) == {0, 1, 2}
    value = answer["crowd-semantic-segmentation"]
    assert value["inputImageProperties"] == {"height": 120, "width": 160}
    assert value["labelMappings"] == {
        "road": {"color": "#2ca02c"},
        "car": {"color": "#1f77b4"},
        "tree": {"color": "#ff7f0e"},
    }
    assert "initialValueModified" not in value
    png = picture_of(answer)
    assert (png.mode, png.info["transparency"]) == ("P", 0)
    assert png.getpalette()[:9] == [0, 0, 0, 44, 160, 44, 31, 119, 180]
    # a folder of masks is a source as it is
    run_job(folder.out, tmp_path / "from masks")
    # and so is the answer on Ground Truth's wire
    request = [
        {
            "datasetObjectId": "0",
            "dataObject": {"s3Uri": "s3://b/a.png"},
            "annotations": [{"workerId": "w", "annotationData": {"content": json.dumps(answer)}}],
        }
    ]
    (tmp_path / "request.json").write_text(json.dumps(request))
    categories = {"labels": [{"label": label} for label in LABELS]}
    (tmp_path / "labels.json").write_text(json.dumps(categories))
    labels = str(tmp_path / "labels.json")
    run_job(tmp_path / "request.json", tmp_path / "from answer", labels=labels)
    for out, name in (("from masks", "a"), ("from answer", "0")):
        with Image.open(tmp_path / out / "masks" / f"{name}.png") as mask:
            assert np.array_equal(np.asarray(mask), painted), out


def test_every_tool_by_its_key(browser: Any, folder: PaintFolder) -> None:
    with painting_page(browser, folder) as page:
        page.press("p")
        for place in ((20, 20), (60, 20), (60, 60)):
            page.click(*place)
        page.press("Backspace")
        page.click(20, 60)
        page.press("Enter")
        triangle = page.map
        assert triangle[25, 25] == 1
        assert triangle[50, 50] == 0
        page.press("f", "2")
        page.click(100, 100)
        assert page.map[0, 0] == 2
        assert page.map[25, 25] == 1
        page.press("i")
        page.click(25, 25)
        assert page.label == "road"
        page.press("b", "Shift+0")
        assert page.evaluate("editor.view.scale") == 1
        page.press("0")
        assert page.evaluate("editor.view.fitted")
        page.press("e")
        page.set("size", 1)
        page.click(80, 80)
        assert np.argwhere(page.map == 0).tolist() == [[80, 80]]
        page.press("n")
        assert page.evaluate("editor.look.gaps")
        page.press("r")
        assert page.map[80, 80] == 1
        page.press("x")
        assert page.tool == "brush"


def test_polygon_is_drawn_freehand_and_subtracts(browser: Any, folder: PaintFolder) -> None:
    with painting_page(browser, folder) as page:
        page.press("p")
        page.stroke((20, 20), (60, 15), (100, 20), (110, 60), (60, 100), (15, 60))
        assert page.map[50, 60] == 1
        page.page.keyboard.down("Shift")
        for place in ((50, 40), (70, 40), (60, 60)):
            page.click(*place)
        page.press("Enter")
        page.page.keyboard.up("Shift")
        assert page.map[45, 60] == 0
        assert page.map[80, 60] == 1


def test_modes_locks_and_alt(browser: Any, folder: PaintFolder) -> None:
    with painting_page(browser, folder) as page:
        page.set("size", 21)
        page.stroke((30, 30), (90, 30))
        page.press("v", "2")
        page.stroke((60, 10), (60, 60))
        assert page.map[30, 60] == 1, "only what was unpainted"
        assert page.map[50, 60] == 2
        page.press("v", "3")
        page.stroke((60, 50), (60, 10))
        assert page.map[30, 60] == 1, "only what it began on"
        assert page.map[50, 60] == 3
        page.press("v", "1", "l", "2")
        page.stroke((30, 30), (60, 30))
        assert page.map[30, 40] == 1, "locked"
        page.page.keyboard.down("Alt")
        page.stroke((60, 55), (60, 45))
        page.page.keyboard.up("Alt")
        assert page.map[50, 60] == 0
        assert page.tool == "brush"


def test_undo_keeps_tool_and_label(browser: Any, folder: PaintFolder) -> None:
    with painting_page(browser, folder) as page:
        page.stroke((20, 20), (60, 20))
        first = page.map
        page.press("2")
        page.stroke((20, 60), (60, 60))
        second = page.map
        page.press("f", "3", "Control+z")
        assert np.array_equal(page.map, first)
        assert (page.tool, page.label) == ("fill", "tree")
        page.press("Control+z")
        assert not page.map.any()
        page.press("Control+Shift+z", "Control+y")
        assert np.array_equal(page.map, second)


def test_region_menu(browser: Any, folder: PaintFolder) -> None:
    with painting_page(browser, folder) as page:
        page.set("size", 40)
        page.click(60, 60)
        page.press("e")
        page.set("size", 5)
        page.click(60, 60)
        page.click(60, 70, button="right")
        page.inside.get_by_role("menuitem", name="Fill holes").click()
        assert page.map[60, 60] == 1
        page.press("2")
        page.move(60, 70)
        page.press("m")
        page.inside.get_by_role("menuitem", name="Change to").click()
        assert page.map[60, 60] == 2
        page.press("m")
        page.inside.get_by_role("menuitem", name="Take away").click()
        assert not page.map.any()


def test_pointers_pen_and_fingers(browser: Any, folder: PaintFolder) -> None:
    send = """(() => { const [kind, id, type, x, y, more] = argument;
        const stage = element.shadowRoot.querySelector(".stage");
        const box = stage.getBoundingClientRect();
        const [left, top] = editor.view.toScreen(x + 0.5, y + 0.5);
        const about = { pointerId: id, pointerType: type, bubbles: true, buttons: 1, button: 0,
            clientX: box.left + left, clientY: box.top + top, pressure: 0.5, ...more };
        stage.dispatchEvent(new PointerEvent(kind, about)); })()"""
    with painting_page(browser, folder) as page:

        def pointer(kind: str, number: int, type_: str, x: float, y: float, **more: Any) -> None:
            page.evaluate(send, [f"pointer{kind}", number, type_, x, y, more])

        pointer("down", 1, "touch", 40, 40)
        pointer("move", 1, "touch", 60, 40)
        pointer("up", 1, "touch", 60, 40)
        assert page.map[40, 50] == 1, "a finger paints while no pen was seen"
        before, scale = page.map, page.evaluate("editor.view.scale")
        pointer("down", 1, "touch", 60, 60)
        pointer("move", 1, "touch", 64, 60)
        pointer("down", 2, "touch", 100, 60)
        pointer("move", 2, "touch", 120, 60)
        pointer("up", 1, "touch", 60, 60)
        pointer("up", 2, "touch", 120, 60)
        assert np.array_equal(page.map, before), "two fingers do not paint"
        assert page.evaluate("editor.view.scale") > scale
        page.press("0", "2")
        pointer("down", 3, "pen", 40, 80)
        pointer("move", 3, "pen", 60, 80)
        pointer("up", 3, "pen", 60, 80)
        assert page.map[80, 50] == 2
        pointer("down", 3, "pen", 50, 80, buttons=32, button=5)
        pointer("up", 3, "pen", 50, 80)
        assert page.map[80, 50] == 0, "the pen's other end erases"
        before, left = page.map, page.evaluate("editor.view.x")
        page.press("+", "+", "+")
        pointer("down", 1, "touch", 60, 60)
        pointer("move", 1, "touch", 50, 60)
        pointer("up", 1, "touch", 50, 60)
        assert np.array_equal(page.map, before), "after a pen a finger moves the picture"
        assert page.evaluate("editor.view.x") != left
        page.set("pressure", True)
        page.set("size", 20)
        page.press("0", "3")
        pointer("down", 3, "pen", 100, 30, pressure=0.25)
        pointer("up", 3, "pen", 100, 30)
        assert np.ptp(np.nonzero((page.map == 3).any(axis=0))[0]) + 1 == 5


def test_a_draft_survives_the_tab(browser: Any, folder: PaintFolder) -> None:
    with painting_page(browser, folder) as page:
        page.stroke((20, 20), (60, 40))
        page.press("2")
        page.stroke((60, 60), (90, 60))
        page.press("Control+z", "Control+y")
        page.saved()
        painted = page.map
        page.page.close()
        page.open()
        page.inside.get_by_text("is back").wait_for()
        assert np.array_equal(page.map, painted)
        assert page.label == "car"
        page.stroke((20, 100), (60, 100))
        page.saved()
        more = page.map
        page.page.close(run_before_unload=False)
        page.open()
        assert np.array_equal(page.map, more)
        assert np.array_equal(np.asarray(picture_of(page.submit())), more), (
            "same colours, same order"
        )
        page.page.close()
        page.open()
        assert np.array_equal(page.map, more), "what was sent is what is opened"


def test_a_lost_connection(browser: Any, folder: PaintFolder) -> None:
    with painting_page(browser, folder, expected=["Failed to load resource"]) as page:
        page.stroke((20, 20), (60, 40))
        page.page.route("**/answers/*", lambda route: route.abort())
        page.press("Control+Enter")
        page.inside.get_by_text("Not sent").wait_for()
        page.stroke((60, 60), (90, 60))
        assert page.map[60, 70] == 1, "painting goes on"
        page.saved()
        page.page.unroute("**/answers/*")
        assert np.array_equal(np.asarray(picture_of(page.submit())), page.map)


def test_nothing_to_label(browser: Any, folder: PaintFolder) -> None:
    with painting_page(browser, folder) as page:
        page.press("Control+Enter")
        page.inside.get_by_text("Send a blank mask?").wait_for()
        page.inside.get_by_role("button", name="Go on painting").click()
        page.stroke((20, 20), (60, 40))
        page.inside.get_by_role("button", name="Nothing to label").click()
        page.inside.get_by_role("button", name="Send blank").click()
        page.inside.get_by_text("Sent").wait_for()
    answer = json.loads(folder.file(folder.pictures[0], "json").read_bytes())
    png = picture_of(answer)
    assert png.getpalette() == [0, 0, 0]
    assert not np.asarray(png).any()
    assert set(answer["crowd-semantic-segmentation"]["labelMappings"]) == set(LABELS)


def test_a_wide_picture(browser: Any, tmp_path: Path) -> None:
    scene(tmp_path / "wide.png", (48, 16_384))
    folder = PaintFolder(tmp_path / "wide.png", LABELS, tmp_path / "out")
    with painting_page(browser, folder) as page:
        page.evaluate("(editor.view.scale = 4, editor.view.centre(16370, 24), editor.refresh())")
        page.set("size", 1)
        page.stroke((16_300, 5), (16_383, 47))
        painted = page.map
        assert painted[47, 16_383] == painted[5, 16_300] == 1
        assert np.array_equal(read_mask_of(page), painted)


def read_mask_of(page: PaintingPage, number: int = 0) -> Any:
    page.submit(number)
    folder = page.painting.folder
    data = folder.file(folder.pictures[number], "png").read_bytes()
    return read_mask(data, folder.classes)


def test_many_labels_of_every_kind(browser: Any, tmp_path: Path) -> None:
    strange = [
        'say "hi"',
        "it's",
        "<b>bold</b>",
        "🚗 car",
        "שלום",
        "مرحبا",
        "a & b",
        "\\n",
        "{{ x }}",
    ]
    labels = strange + [f"label {n}" for n in range(255 - len(strange))]
    folder = PaintFolder(scene(tmp_path / "a.png"), labels, tmp_path / "out")
    with painting_page(browser, folder) as page:
        assert page.evaluate("element.labels") == labels
        page.set("size", 1)
        for row, name in enumerate(("say", "🚗", "שלום", "label 245")):
            page.inside.get_by_role("searchbox").fill(name)
            page.inside.locator(".label:visible").first.click()
            page.stroke((10, 10 + 20 * row), (100, 10 + 20 * row))
        painted = page.map
        assert sorted(np.unique(painted)) == [0, 1, 4, 5, 255]
        assert np.array_equal(read_mask_of(page), painted)
    answer = json.loads(folder.file(folder.pictures[0], "json").read_bytes())
    colors = [
        value["color"] for value in answer["crowd-semantic-segmentation"]["labelMappings"].values()
    ]
    assert len(set(colors)) == 255
    assert not {"#000000", "#ffffff"} & set(colors)


@pytest.mark.parametrize("plain", [False, True])
def test_the_screen_shows_the_map(browser: Any, folder: PaintFolder, plain: bool) -> None:
    template = (
        SEED.replace("<crowd-semantic-segmentation ", "<crowd-semantic-segmentation plain ")
        if plain
        else SEED
    )
    with painting_page(browser, folder, template) as page:
        assert page.evaluate("editor.renderer.constructor.name") == (
            "PlainRenderer" if plain else "GlRenderer"
        )
        page.stroke((20, 20), (60, 40))
        page.press("2")
        page.set("size", 3)
        page.stroke((50, 30), (90, 80))
        wrong = page.evaluate(
            """(() => {
                editor.setLook({ opacity: 1 });
                editor.draw();
                const { canvas: { map }, view, renderer } = editor;
                const colors = [null, "44,160,44", "31,119,180"];
                const wrong = [];
                for (let y = 0; y < map.height; y += 3) for (let x = 0; x < map.width; x += 3) {
                    const [left, top] = view.toScreen(x + 0.5, y + 0.5).map(Math.floor);
                    const seen = renderer.read(left, top).slice(0, 3).join();
                    const label = map.at(x, y);
                    const right = label ? seen === colors[label] : !colors.includes(seen);
                    if (!right) wrong.push([x, y, label, seen]);
                }
                return wrong;
            })()"""
        )
        assert wrong == []
        page.press("o", "u", "h")
        assert page.evaluate("[editor.look.outlines, editor.look.gaps, editor.look.hidden]") == [
            True,
            True,
            False,
        ]
        page.page.keyboard.down("h")
        assert page.inside.get_by_text("Labels are hidden").is_visible()
        page.page.keyboard.up("h")


def test_keys_can_be_changed_and_are_kept(browser: Any, folder: PaintFolder) -> None:
    with painting_page(browser, folder) as page:
        page.press("?")
        page.inside.locator(".keys [data-action='tool.eraser']").click()
        page.press("q")
        page.press("Escape")
        page.press("q")
        assert page.tool == "eraser"
        page.page.close()
        page.open()
        page.press("q")
        assert page.tool == "eraser"
        page.press("e")
        assert page.tool == "eraser", "its old key means nothing"


def test_pictures_that_no_browser_shows(browser: Any, tmp_path: Path) -> None:
    values = (np.arange(60 * 80).reshape(60, 80) * 3 + 1000).astype(np.uint16)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    Image.fromarray(values).save(pictures / "deep.tif")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (80, 60), "gray").save(pictures / "turned.jpg", exif=exif)
    folder = PaintFolder(pictures, LABELS, tmp_path / "out")
    with painting_page(browser, folder) as page:
        page.inside.get_by_text("Shown from 1014").wait_for()
        page.stroke((20, 20), (40, 40))
        assert page.map.shape == (60, 80)
        page.submit()
        page.page.get_by_text("1 of 2 painted").wait_for()
        page.wait()
        assert page.map.shape == (60, 80), "a camera's note to turn it is not followed"


def test_an_earlier_mask_is_corrected(browser: Any, tmp_path: Path) -> None:
    earlier = np.zeros((120, 160), np.uint8)
    earlier[20:60, 20:80] = 2
    (tmp_path / "masks").mkdir()
    Image.fromarray(earlier).save(tmp_path / "masks" / "a.png")
    folder = PaintFolder(
        scene(tmp_path / "a.png"), LABELS, tmp_path / "out", masks=tmp_path / "masks"
    )
    with painting_page(browser, folder) as page:
        assert np.array_equal(page.map, earlier)
        assert page.evaluate("element.value.initialValueModified") is False
        page.stroke((100, 100), (110, 100))
        assert page.evaluate("element.value.initialValueModified") is True
        painted = page.map
        assert page.submit()["crowd-semantic-segmentation"]["initialValueModified"] is True
    data = folder.file(folder.pictures[0], "png").read_bytes()
    assert np.array_equal(read_mask(data, folder.classes), painted)


def test_the_frame_reaches_nothing(browser: Any, folder: PaintFolder) -> None:
    with painting_page(browser, folder) as page:
        assert page.frame.evaluate("origin") == "null"
        for attempt in ("localStorage.length", "parent.document.title", "document.cookie"):
            script = (
                f"() => {{ try {{ {attempt}; return 'reached'; }} catch {{ return 'refused'; }} }}"
            )
            assert page.frame.evaluate(script) == "refused", attempt


def test_painting_goes_on_without_the_graphics_card(browser: Any, folder: PaintFolder) -> None:
    with painting_page(browser, folder, expected=["CONTEXT_LOST_WEBGL"]) as page:
        page.stroke((20, 20), (60, 40))
        page.evaluate("editor.renderer.gl.getExtension('WEBGL_lose_context').loseContext()")
        page.page.wait_for_timeout(100)
        page.stroke((60, 60), (90, 60))
        assert page.evaluate("editor.renderer.constructor.name") == "PlainRenderer"
        page.evaluate("(editor.setLook({ opacity: 1 }), editor.draw())")
        seen = page.evaluate(
            "editor.renderer.read(...editor.view.toScreen(75, 60).map(Math.floor))"
        )
        assert seen == [44, 160, 44, 255]
