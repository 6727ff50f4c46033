"""What a visitor's browser keeps of their teaching, and what it may send in its place."""

import dataclasses
import json

import pytest
import torch
from PIL import Image

from segdemo.images import read_image
from segdemo.lessons import kept
from segdemo.lessons.teach import Fit
from segdemo.lessons.teaching import Photo, Teaching


@pytest.fixture
def teaching():
    generator = torch.Generator().manual_seed(1)
    noise = torch.randint(0, 256, (30, 41, 3), dtype=torch.uint8, generator=generator).numpy()
    photos = (Photo.of(Image.fromarray(noise)), Photo.of(Image.new("RGB", (64, 48), "red")))
    taught = (
        Teaching().with_photo(photos[0]).with_photo(photos[1]).named("mug, 컵").tapped(0.25, 1.0, 2).tapped(0, 0, 0)
    )
    layer = Fit(torch.randn(3, 1280, generator=generator), torch.randn(3, generator=generator), 0.25, 7)
    return dataclasses.replace(taught.marked(1), shown=0, layer=layer.rounded())


def through_the_browser(teaching):
    sent = json.loads(json.dumps([kept.keep(teaching), kept.keep_photos(teaching)]))
    return kept.restore(*sent, read_image)


def test_what_was_kept_comes_back_bit_for_bit(teaching):
    back = through_the_browser(teaching)
    for name in ("classes", "photos", "shown", "taps", "marks", "whole_photos"):
        assert getattr(back, name) == getattr(teaching, name)
    assert torch.equal(back.layer.weight, teaching.layer.weight)
    assert torch.equal(back.layer.bias, teaching.layer.bias)
    for ours, theirs in zip(back.photos, teaching.photos, strict=True):
        assert ours.image.tobytes() == theirs.image.tobytes()


def test_nothing_taught_yet_comes_back_too(teaching):
    assert through_the_browser(teaching.cleared()).layer is None


@pytest.mark.parametrize(
    "damage",
    [
        {"taps": [[5, 0.5, 0.5, 1]]},
        {"taps": [[0, 0.5, 0.5, 9]]},
        {"taps": [[0, 2.0, 0.5, 1]]},
        {"taps": [[0, "a", 0.5, 1]]},
        {"taps": [[0, 0.5]]},
        {"taps": [[0, 0.5, 0.5, True]] * 1000},
        {"classes": ["background", *"abcdefghij"]},
        {"classes": "background"},
        {"shown": -1},
        {"shown": 0.5},
        {"marks": [None]},
        {"layer": {"weight": "data:application/octet-stream;base64,AAAA", "bias": [0, 0, 0], "loss": 0, "steps": 1}},
        {"layer": {"weight": "?", "bias": [0, 0, 0], "loss": 0, "steps": 1}},
        {"layer": 7},
    ],
)
def test_what_is_none_of_ours_is_refused_in_a_sentence(teaching, damage):
    with pytest.raises(ValueError, match="cannot be read any more"):
        kept.restore({**kept.keep(teaching), **damage}, kept.keep_photos(teaching), read_image)


@pytest.mark.parametrize("value", [None, [], {}, "text", 7, {"classes": None}])
def test_anything_else_is_refused_too(teaching, value):
    with pytest.raises(ValueError, match="cannot be read any more"):
        kept.restore(value, kept.keep_photos(teaching), read_image)
    with pytest.raises(ValueError, match="cannot be read any more"):
        kept.restore(kept.keep(teaching), value, read_image)


def test_a_photo_that_is_none_and_one_too_many_are_refused(teaching):
    photos = kept.keep_photos(teaching)
    for damaged in ([photos[0], "data:image/jpeg;base64,AAAA"], [photos[0]] * 7):
        with pytest.raises(ValueError, match="cannot be read any more"):
            kept.restore(kept.keep(teaching), damaged, read_image)


def test_what_is_sent_after_a_tap_is_small(teaching):
    assert len(json.dumps(kept.keep(teaching))) < 15_000
