"""What a link to the page asks for."""

import gradio as gr
import pytest

from segdemo.ui.link import Place, View, read_view


@pytest.fixture(scope="module")
def places():
    with gr.Blocks():
        photo = gr.Image(type="filepath")
        paths = [gr.get_image(name) for name in ("lion.jpg", "tower.jpg")]
        segment = Place(gr.Dropdown(), photo, gr.Examples(paths, photo))
        trace = Place(gr.Dropdown())
        several = Place(gr.CheckboxGroup())
    tabs = {"segment": segment, "compare": several, "lessons": Place(), "about": Place()}
    return tabs, {"fc-as-conv": Place(), "size-trace": trace}


@pytest.mark.parametrize(
    ("query", "view"),
    [
        ({}, View("segment")),
        ({"tab": "about"}, View("about")),
        ({"tab": "lessons"}, View("lessons", "fc-as-conv")),
        ({"tab": "lessons", "lesson": "size-trace"}, View("lessons", "size-trace")),
        ({"lesson": "size-trace", "network": "fcn32s_vgg16"}, View("lessons", "size-trace", "fcn32s_vgg16")),
        ({"network": "fcn32s_vgg16", "example": "lion"}, View("segment", None, "fcn32s_vgg16", "lion")),
        ({"tab": "about", "lesson": "size-trace"}, View("about")),
        ({"__theme": "dark", "present": "1"}, View("segment")),
        ({"tab": "compare", "network": "fcn32s_vgg16"}, View("compare", None, "fcn32s_vgg16")),
        (
            {"tab": "compare", "network": "unet_vgg16_bn,fcn32s_vgg16,unet_vgg16_bn"},
            View("compare", None, "unet_vgg16_bn,fcn32s_vgg16"),
        ),
    ],
)
def test_a_link_opens_what_it_names(places, query, view):
    assert read_view(query, *places) == view


@pytest.mark.parametrize(
    ("query", "key", "name"),
    [
        ({"tab": "nonsense"}, "tab", "nonsense"),
        ({"lesson": ""}, "lesson", ""),
        ({"network": "vgg99"}, "network", "vgg99"),
        ({"example": "../../etc/passwd"}, "example", "../../etc/passwd"),
        ({"tab": "about", "network": "fcn32s_vgg16"}, "network", "fcn32s_vgg16"),
    ],
)
def test_a_name_that_is_not_known_is_said_and_changes_nothing(places, query, key, name):
    view = read_view(query, *places)
    assert view.problems == ((key, name),)
    assert view.network is view.example is None
    assert view.tab == ("about" if query.get("tab") == "about" else "segment")


def test_of_several_networks_those_that_are_known_are_taken(places):
    view = read_view({"tab": "compare", "network": "vgg99,fcn32s_vgg16,"}, *places)
    assert view.network == "fcn32s_vgg16"
    assert view.problems == (("network", "vgg99"), ("network", ""))
    assert read_view({"tab": "compare", "network": "," + "x," * 5000}, *places).network is None
    many = read_view({"tab": "compare", "network": ",".join(map(str, range(5000)))}, *places)
    assert len(many.problems) < 10


def test_one_network_is_not_taken_for_several(places):
    assert read_view({"network": "fcn32s_vgg16,unet_vgg16_bn"}, *places).network is None


def test_a_very_long_name_is_cut(places):
    (problem,) = read_view({"tab": "x" * 5000}, *places).problems
    assert len(problem[1]) < 80
