"""Pictures are valid SVG that needs nothing else, names may hold anything, and everybody can read them."""

import re
from xml.etree import ElementTree

import pytest
from torch import nn

from sklrnn.drawing.picture import NetworkPicture, pictures_as_html
from sklrnn.nn.network import NetworkArchitecture
from sklrnn.nn.summary import Input, Layer

SVG = "{http://www.w3.org/2000/svg}"
LAYERS = NetworkArchitecture(n_features=3, n_outputs=2, cell="lstm", units=(5, 4), filters=(2,)).build(seed=0).layers()
every_kind = pytest.mark.parametrize("kind", ["layers", "unrolled"])


@every_kind
@pytest.mark.parametrize("standalone", [True, False])
def test_nothing_is_loaded_or_run(kind, standalone):
    svg = NetworkPicture(LAYERS, name="GRURegressor", kind=kind).svg(standalone=standalone)
    assert re.findall(r"https?://[^\"]+", svg) == ["http://www.w3.org/2000/svg"]
    tags = {element.tag.removeprefix(SVG) for element in ElementTree.fromstring(svg).iter()}
    drawn = {"svg", "title", "desc", "text", "tspan", "rect", "circle", "polyline", "polygon"}
    assert tags <= drawn | ({"style"} if standalone else set())
    assert "url(" not in svg


@every_kind
def test_a_screen_reader_reads_title_and_description(kind):
    root = ElementTree.fromstring(NetworkPicture(LAYERS, name="GRURegressor", kind=kind).svg())
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert root.get("role") == "img"
    assert (root.get("aria-labelledby"), root.get("aria-describedby")) == (title.get("id"), description.get("id"))
    assert "GRURegressor" in title.text
    assert "standardise reads X; output (sample, time, 3), 0 parameters." in description.text
    assert "recurrent 2: LSTM reads recurrent 1: LSTM; output (sample, 4), 160 parameters." in description.text


def test_pictures_of_a_page_have_names_of_their_own():
    html = pictures_as_html(LAYERS, name="GRURegressor")
    names = re.findall(r' id="([^"]+)"', html)
    assert len(names) == len({*names}) == 4


@every_kind
def test_names_may_hold_anything(kind):
    odd = "<script>&\"'\x00\x1b😀]]>"
    layers = [Layer(odd, ("sample", "time", 2), nn.Linear(2, 2), (Input(odd, ("sample", "time", odd), symbol=odd),))]
    layers += [Layer("head", ("sample", odd), nn.Linear(2, 2))]
    svg = NetworkPicture(layers, name=odd, kind=kind).svg()
    texts = [text for element in ElementTree.fromstring(svg).iter() for text in element.itertext()]
    assert any("<script>&\"'\ufffd\ufffd😀]]>" in text for text in texts)
    assert "<script" not in svg
    assert "<script" not in pictures_as_html(layers, name=odd)


@every_kind
def test_in_a_page_lines_and_text_have_the_colour_of_its_text(kind):
    root = ElementTree.fromstring(NetworkPicture(LAYERS, name="GRURegressor", kind=kind).svg(standalone=False))
    for element in root.iter():
        if element.tag in (f"{SVG}text", f"{SVG}polyline"):
            assert element.get("fill", "currentColor") in ("currentColor", "none")
            assert element.get("stroke", "currentColor") == "currentColor"
        elif element.tag == f"{SVG}rect":
            assert float(element.get("fill-opacity")) <= 0.2  # text on it is read on any ground


@every_kind
def test_a_file_has_a_ground_for_light_and_dark(kind, tmp_path):
    picture = NetworkPicture(LAYERS, name="GRURegressor", kind=kind)
    picture.save(tmp_path / "network.svg")
    text = (tmp_path / "network.svg").read_text(encoding="utf-8")
    assert text == picture.svg() == picture._repr_svg_()
    root = ElementTree.fromstring(text)
    ground = next(root.iter(f"{SVG}rect"))
    assert f"{ground.get('x')} {ground.get('y')} {ground.get('width')} {ground.get('height')}" == root.get("viewBox")
    assert "@media (prefers-color-scheme:dark)" in text
    assert "<style" not in picture._repr_html_()  # it would be that of the whole page


def test_only_svg_is_written(tmp_path):
    with pytest.raises(ValueError, match=r"'network\.png' does not end in '\.svg'"):
        NetworkPicture(LAYERS, name="GRURegressor", kind="layers").save("network.png")


@every_kind
def test_everything_lies_within_the_picture(kind):
    root = ElementTree.fromstring(NetworkPicture(LAYERS, name="GRURegressor", kind=kind).svg(standalone=False))
    x, y, width, height = map(float, root.get("viewBox").split())
    for box in root.iter(f"{SVG}rect"):
        assert x <= float(box.get("x")) <= float(box.get("x")) + float(box.get("width")) <= x + width
    for text in root.iter(f"{SVG}text"):
        assert x <= float(text.get("x")) <= x + width
        assert y <= float(text.get("y")) <= y + height
