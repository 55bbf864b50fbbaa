"""Templates, frames, pictures and the painting server, without a browser."""

from __future__ import annotations

import base64
import http.client
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from consolidation import web
from consolidation.cli import main
from consolidation.commands.paint import read_labels
from consolidation.errors import ConsolidationError, ObjectError, OptionError
from consolidation.labeling import segments
from consolidation.labeling.frame import frame_headers, frame_page
from consolidation.labeling.masks import answer_mask, initial_picture, mask_file, read_mask
from consolidation.labeling.paint_folder import PaintFolder
from consolidation.labeling.painting import Painting
from consolidation.labeling.pictures import shown, size_of
from consolidation.labeling.template import MAX_TEMPLATE, render, unknown_elements
from consolidation.masks import Classes
from tests.painting_server import scene, serving

ADJUSTMENT = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-semantic-segmentation initial-value="{
  'src': '{{ task.input.manifestLine.my-labels-ref | grant_read_access }}',
  'labelMappings': {
    {% for box in task.input.manifestLine.my-labels-ref-metadata.internal-color-map %}
      {% if box[1]['class-name'] != 'BACKGROUND' %}
        {{ box[1]['class-name'] | to_json }}: { 'color': {{ box[1]['hex-color'] | to_json }} },
      {% endif %}
    {% endfor %} }}"></crowd-semantic-segmentation></crowd-form>"""


def test_an_adjustment_template_is_filled_in() -> None:
    line = {
        "my-labels-ref": "s3://b/m.png",
        "my-labels-ref-metadata": {
            "internal-color-map": {
                "0": {"class-name": "BACKGROUND", "hex-color": "#ffffff"},
                "1": {"class-name": 'A "b" & <c>', "hex-color": "#2ca02c"},
            }
        },
    }
    page = render(ADJUSTMENT, {"manifestLine": line}, lambda uri: f"/o/{uri[5:]}")
    assert "crowd-html-elements" not in page
    assert "'/o/b/m.png'" in page
    assert "BACKGROUND" not in page
    assert "&#34;A \\&#34;b\\&#34; &amp; &lt;c&gt;&#34;: { &#39;color&#39;" not in page
    assert "&#34;A \\&#34;b\\&#34; &amp; &lt;c&gt;&#34;:" in page


@pytest.mark.parametrize(
    ("template", "error"),
    [
        ("{% for x in y %}", "the template cannot be filled in: "),
        ("{{ x | no_such_filter }}", "the template cannot be filled in: unknown filter"),
        ("x" * (MAX_TEMPLATE + 1), "the template has 128,001 characters"),
        ("{% for i in (1..500) %}{% for j in (1..500) %}x{% endfor %}{% endfor %}", "cannot be"),
    ],
)
def test_wrong_templates_are_refused(template: str, error: str) -> None:
    with pytest.raises(OptionError) as caught:
        render(template, {}, str)
    assert error in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_elements_are_named() -> None:
    assert unknown_elements("<CROWD-Form><crowd-polygon>") == ["crowd-polygon"]


@pytest.mark.parametrize(
    "page", ["<p>x</p>", "<html><body>x", "<!doctype html><html lang='de'><head a='b'><title>"]
)
def test_ours_comes_first_in_the_frame(page: str) -> None:
    framed = frame_page(page, "http://h/web")
    own = next(part for part in ("<p>x", "<body>", "<title>") if part in page)
    assert framed.index("page/frame.js") < framed.index(own)
    assert framed.count("<html") == 1


def test_the_frame_is_sandboxed_by_its_own_header() -> None:
    policy = frame_headers("http://h:1")["Content-Security-Policy"]
    assert "sandbox allow-scripts" in policy
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy


def test_every_script_is_there_and_asked_for() -> None:
    scripts = {path.relative_to(web.FOLDER).as_posix() for path in web.FOLDER.rglob("*.js")}
    used = {*web.modules("page/frame.js"), *web.modules("shell/paint.js")}
    assert scripts - used == {"painting/encode_worker.js"}


def test_both_languages_have_all_texts() -> None:
    english, german = (json.loads(web.text(f"messages.{name}.json")) for name in ("en", "de"))
    assert list(english) == list(german)
    for key, text in english.items():
        assert sorted(_names(text)) == sorted(_names(german[key])), key


def _names(text: str) -> list[str]:
    return [part.partition("}")[0] for part in text.split("{")[1:]]


def picture_bytes(pixels: Any, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


def test_pictures_are_served_as_they_are_or_converted() -> None:
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    for kind in ("PNG", "JPEG", "WEBP"):
        data = picture_bytes(np.stack([grey] * 3, -1), kind)
        assert shown(data).data is data
    tiff = shown(picture_bytes(grey, "TIFF"))
    assert tiff.media_type == "image/png"
    assert tiff.window is None
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(tiff.data)).convert("L")), grey)
    deep = np.linspace(100, 40_000, 900).reshape(30, 30).astype(np.uint16)
    for kind in ("TIFF", "PNG"):
        seen = shown(picture_bytes(deep, kind))
        assert seen.window is not None
        assert 100 <= seen.window[0] < 200
        assert 39_000 < seen.window[1] <= 40_000
        pixels = np.asarray(Image.open(io.BytesIO(seen.data)))
        assert (pixels[0, 0], pixels[-1, -1]) == (0, 255)
        assert (np.diff(pixels.ravel().astype(int)) >= 0).all()
        assert seen.headers["Consolidation-Window"].startswith("139.")
    flat = shown(picture_bytes(np.full((4, 4), 7, np.uint16), "TIFF"))
    assert flat.window == (7, 8)
    floats = np.array([[0.0, 1.0], [np.nan, 0.5]], np.float32)
    assert shown(picture_bytes(floats, "TIFF")).size == (2, 2)


def test_broken_and_huge_pictures_are_refused() -> None:
    with pytest.raises(ObjectError, match="the picture cannot be read"):
        shown(b"no picture")
    with pytest.raises(ObjectError, match="the limit is 10"):
        shown(picture_bytes(np.zeros((4, 4), np.uint8), "PNG"), max_pixels=10)
    data = picture_bytes(np.zeros((40, 40), np.uint16), "TIFF")
    with pytest.raises(ObjectError, match="the picture cannot be read"):
        shown(data[:200])


CLASSES = Classes.of_labels(["a", "b"])


def answer(mask: Any, **changes: Any) -> dict[str, Any]:
    png = initial_picture(np.asarray(mask, np.uint8), CLASSES)
    value = {
        "labelMappings": {"a": {"color": "#2ca02c"}, "b": {"color": "#1f77b4"}},
        "labeledImage": {"pngImageData": base64.b64encode(png).decode()},
        **changes,
    }
    return {"x": value}


def test_answers_become_masks_and_masks_answers() -> None:
    mask = np.array([[0, 1, 2], [2, 2, 0]], np.uint8)
    assert np.array_equal(answer_mask(answer(mask), CLASSES, (2, 3)), mask)
    assert np.array_equal(read_mask(mask_file(mask, CLASSES), CLASSES), mask)
    rgb = Image.open(io.BytesIO(mask_file(mask, CLASSES))).convert("RGB")
    assert np.array_equal(read_mask(picture_bytes(np.asarray(rgb), "PNG"), CLASSES), mask)


def test_wrong_answers_are_refused() -> None:
    mask = np.array([[0, 1, 2]], np.uint8)
    with pytest.raises(ConsolidationError, match="3 x 1 pixels, the picture has 4 x 1"):
        answer_mask(answer(mask), CLASSES, (1, 4))
    with pytest.raises(ConsolidationError, match="'c' is no label"):
        answer_mask(answer(mask, labelMappings={"c": {"color": "#2ca02c"}}), CLASSES, (1, 3))
    with pytest.raises(ConsolidationError, match="no label's colour"):
        answer_mask(answer(mask, labelMappings={"a": {"color": "#2ca02c"}}), CLASSES, (1, 3))
    with pytest.raises(ConsolidationError, match="has value 3, and there are 2 labels"):
        read_mask(mask_file(np.array([[3]], np.uint8), Classes.of_labels(list("abc"))), CLASSES)


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    for name in ("x/a.png", "x/a.jpg", "b.PNG"):
        scene(tmp_path / "in" / name)
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    folder = PaintFolder(tmp_path / "in", ["a"], tmp_path / "out")
    assert [picture.id for picture in folder.pictures] == ["b.PNG", "x/a.jpg", "x/a.png"]
    assert folder.file(folder.pictures[1], "png").name == "worker_me.png"
    again = PaintFolder(tmp_path / "in", ["a"], tmp_path / "out")
    assert again.task(again.pictures[0]) == folder.task(folder.pictures[0])
    other = PaintFolder(tmp_path / "in", ["a"], tmp_path / "out", worker="bob")
    assert other.task(other.pictures[0]) != folder.task(folder.pictures[0])


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"pictures": "nowhere"}, "there is no such picture or folder"),
        ({"pictures": "empty"}, "no pictures in it"),
        ({"labels": ["a", "a"]}, "the label 'a' is listed twice"),
        ({"labels": [""]}, "a label must be a text"),
        ({"worker": "a/b"}, "the worker 'a/b'"),
        ({"masks": "nowhere"}, "there are no masks"),
    ],
)
def test_wrong_folders_are_refused(tmp_path: Path, arguments: dict[str, Any], error: str) -> None:
    (tmp_path / "empty").mkdir()
    scene(tmp_path / "in" / "a.png")
    places = {"pictures": "in", "labels": ["a"], "worker": "me", "masks": None, **arguments}
    for name in ("pictures", "masks"):
        places[name] = tmp_path / places[name] if places[name] else None
    with pytest.raises(ConsolidationError, match=error):
        PaintFolder(out=tmp_path / "out", **places)


def test_other_labels_need_another_folder(tmp_path: Path) -> None:
    scene(tmp_path / "a.png")
    PaintFolder(tmp_path / "a.png", ["a", "b"], tmp_path / "out")
    with pytest.raises(OptionError, match="has other labels"):
        PaintFolder(tmp_path / "a.png", ["b", "a"], tmp_path / "out")


def test_a_mask_of_another_size_is_told(tmp_path: Path) -> None:
    scene(tmp_path / "a.png")
    Image.new("L", (3, 2)).save(tmp_path / "mask.png")
    folder = PaintFolder(tmp_path / "a.png", ["a"], tmp_path / "out", masks=tmp_path / "mask.png")
    with pytest.raises(ObjectError, match="3 x 2 pixels, the picture has 160 x 120"):
        folder.initial(folder.pictures[0])


class Client:
    """Asks a server, and keeps its cookie as a browser does."""

    def __init__(self, painting: Painting) -> None:
        self.painting, self.cookie = painting, ""

    def ask(self, way: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
        """Status, headers and content; JSON where it is."""
        host = self.painting.origin.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=20)
        sent = {"Cookie": self.cookie, **{name.title(): value for name, value in headers.items()}}
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        text = body if isinstance(body, str) or body is None else json.dumps(body)
        connection.request(way, path, text, {**sent, "Host": headers.get("host", host)})
        answer = connection.getresponse()
        data = answer.read()
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        connection.close()
        is_json = answer.headers.get_content_type() == "application/json"
        return answer.status, answer.headers, json.loads(data) if is_json else data


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    folder = PaintFolder(scene(tmp_path / "a.png"), ["a", "b"], tmp_path / "out")
    with serving(lambda origin: Painting(folder, origin)) as painting:
        yield Client(painting)


def test_only_who_knows_the_key_is_served(client: Client) -> None:
    key = client.painting.key
    for path in ("/", "/frame/0", "/pictures/wrong/0/a.png", "/masks/wrong/0"):
        assert client.ask("GET", path)[0] == 403, path
    read = client.painting.read_key
    assert client.ask("GET", f"/pictures/{key}/0/a.png")[0] == 403
    assert client.ask("GET", f"/pictures/{read}/0/a.png")[1]["access-control-allow-origin"] == "*"
    assert client.ask("GET", f"/?key={read}")[0] == 403, "what a template sees opens no page"
    assert client.ask("GET", f"/?key={key}")[0] == 200
    assert "HttpOnly; Path=/; SameSite=strict" in client.ask("GET", "/")[1]["set-cookie"]
    assert client.ask("GET", "/frame/0")[0] == 200
    assert client.ask("GET", "/frame/7")[2] == {"reason": "there is no picture 7"}
    assert client.ask("GET", f"/masks/{read}/0")[0] == 404


def test_other_pages_and_names_are_refused(client: Client) -> None:
    client.ask("GET", f"/?key={client.painting.key}")
    good = {"origin": client.painting.origin}
    assert client.ask("GET", "/", host="evil.example")[0] == 421
    assert client.ask("POST", "/answers/0", {})[0] == 403
    assert client.ask("POST", "/answers/0", {}, origin="null")[0] == 403
    no_json = {"reason": "the request is no JSON"}
    assert (
        client.ask("POST", "/answers/0", "{}", **good, **{"content-type": "text/plain"})[2]
        == no_json
    )
    assert client.ask("POST", "/answers/0", "{", **good)[2] == no_json
    status, _, wrong = client.ask("POST", "/answers/0", {"x": 1}, **good)
    assert (status, "no labeledImage" in wrong["reason"]) == (422, True)
    sent = client.ask("POST", "/answers/0", answer(np.zeros((120, 160))), **good)[2]
    assert sent == {"done": [True]}


@pytest.mark.parametrize(
    "request_", [{}, {"points": [[1, 2]] * 5}, {"points": [[1, 2, 3]]}, {"points": [["a", 1]]}, []]
)
def test_wrong_points_are_refused(request_: Any) -> None:
    with pytest.raises(OptionError, match="whole numbers"):
        segments.start_of(request_, (9, 9))


@pytest.mark.parametrize(
    ("mask", "error"),
    [
        ({"box": [0, 0, 3, 3]}, "runs do not fill"),
        ({"box": [0, 0, 3, 3], "runs": [4, -1, 6]}, "runs do not fill"),
        ({"box": [8, 0, 3, 3], "runs": [9]}, "is not in the image of 9 x 9 pixels"),
        ({"box": [0, 0, 3], "runs": [9]}, "whole numbers"),
        ("x", "whole numbers"),
    ],
)
def test_wrong_masks_are_refused(mask: Any, error: str) -> None:
    with pytest.raises(OptionError, match=error):
        segments.start_of({"mask": mask}, (9, 9))


def test_a_mask_is_what_its_runs_say() -> None:
    request = {"mask": {"box": [1, 2, 3, 2], "runs": [1, 3, 2]}, "clicks": [[1, 1, -1]]}
    start, clicks = segments.start_of(request, (9, 9))
    assert np.argwhere(start["mask"]).tolist() == [[2, 2], [2, 3], [3, 1]]
    assert clicks == [(1, 1, -1)]


def test_labels_of_a_text_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "l.json").write_text('{"labels": [{"label": "a, b"}, {"label": "c"}]}')
    (tmp_path / "l.txt").write_text("a\n\nb, c\n")
    assert read_labels("a, b") == ["a", "b"]
    assert read_labels(tmp_path / "l.json") == ["a, b", "c"]
    assert read_labels(tmp_path / "l.txt") == ["a", "b, c"]


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paint", str(tmp_path / "no"), "--labels", "a", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.endswith("there is no such picture or folder\n")


def test_sizes_are_those_stored() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    Image.new("RGB", (20, 10)).save(out, "JPEG", exif=exif)
    assert size_of(out.getvalue()) == (10, 20)
