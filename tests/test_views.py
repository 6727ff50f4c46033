"""HTML of what is found on a photo."""

import re

import torch
from test_segmentation import make

from segdemo.ui import views


def background_and_dog():
    scores = torch.zeros(3, 16, 20)
    scores[0] = 1
    scores[2, :, :5] = 3
    return make(scores=scores)


def test_the_legend_lists_the_classes_that_occur_and_no_other():
    html = views.legend(background_and_dog())
    assert "background" in html
    assert "dog" in html
    assert "cat" not in html
    assert "#56b4e9" in html


def test_the_table_ranks_by_area_and_gives_percent_and_confidence():
    segmentation = background_and_dog()
    html = views.class_table(segmentation)
    assert html.index("background") < html.index("dog")
    assert f"<td>{segmentation.areas['dog']:.1%}</td><td>{segmentation.confidences['dog']:.2f}</td>" in html
    assert "cat" not in html


def test_one_pixel_s_bars_add_up_to_one():
    html = views.pixel(background_and_dog(), 3, 4)
    assert "pixel (3, 4)" in html
    assert abs(sum(float(v) for v in re.findall(r"value='([\d.]+)'", html)) - 1) < 1e-3


def test_the_facts_name_network_sizes_and_times():
    html = views.facts(background_and_dog(), {"read": 3.4, "network": 40.6})
    for text in (
        "VGG-FCN-8s",
        "photo 50×40",
        "analysed at 20×16",
        "score map 3×2, stride 8",
        "read 3 ms + network 41 ms",
    ):
        assert text in html


def test_the_heat_bar_is_fixed_from_zero_to_one():
    html = views.heat_bar("cat", "viridis")
    assert [html.index(f"<span>{tick}</span>") for tick in ("0", "0.5", "1")]
    assert "probability of cat" in html


def test_class_names_cannot_inject_html():
    segmentation = make(classes=("background", "<script>", "dog"))
    for html in (
        views.legend(segmentation),
        views.class_table(segmentation),
        views.pixel(segmentation, 0, 0),
        views.heat_bar("<script>", "gray"),
    ):
        assert "<script>" not in html


def test_what_a_network_knows_is_said():
    text = views.knows("fcn8s_vgg16")
    assert "cat" in text
    assert "dog" in text
    assert "anything else is background" in text
    assert "every pixel gets one of them" in views.knows("conv1x1_resnet18_imagenet")


def test_where_little_is_found_it_says_what_the_network_knows():
    assert "this network knows" not in views.legend(background_and_dog())
    scores = torch.zeros(3, 16, 20)
    scores[0] = 5
    assert "0.0% of the photo is something that this network knows (cat, dog)" in views.legend(make(scores=scores))


def test_a_size_far_from_the_measured_one_gets_a_warning():
    assert "learned and was measured at" in views.size_note(background_and_dog())  # 20 px


def test_a_problem_is_text_and_says_whether_the_results_are_old():
    assert "&lt;b&gt;" in views.problem("<b>")
    assert "stale" in views.problem("no photo", stale=True)
    assert "stale" not in views.problem("no such file")


def test_the_legend_of_two_networks_names_each_class_once():
    one = background_and_dog()
    assert views.legend(one, one) == views.legend(one)
