"""What a visitor has taught, step by step, and its file."""

import dataclasses

import pytest
import torch
from PIL import Image

from segdemo.checkpoints import load, save
from segdemo.checksums import digest
from segdemo.entries import Bundled
from segdemo.lessons.teach import MAX_TAPS
from segdemo.lessons.teaching import MAX_PHOTOS, Photo, Teaching
from segdemo.metadata import CheckpointError, Metadata
from segdemo.models import build
from segdemo.models.taught import TaughtVGG
from segdemo.segmenter import Segmenter

ENTRY = {field.name: "" for field in dataclasses.fields(Bundled) if field.default is dataclasses.MISSING}


def photo(colour, size=(64, 48)):
    return Photo.of(Image.new("RGB", size, colour))


def features(photo):
    """Stand in for the frozen stages: red and blue are two channels of 1,280."""
    red, _, blue = photo.image.getpixel((0, 0))
    width, height = (int(side) for side in photo.extent)
    found = torch.zeros(1280, height, width)
    found[0], found[1] = red / 255, blue / 255
    return found


def taught():
    teaching = Teaching().with_photo(photo("red")).tapped(0.5, 0.5, 1).with_photo(photo("blue")).tapped(0.5, 0.5, 0)
    return teaching.fitted(features)


def test_what_was_tapped_on_two_photos_is_found_on_a_third():
    teaching = taught().with_photo(photo("#dd0000"))
    assert teaching.segmentation(features).class_map().all()
    teaching = teaching.with_photo(photo("#0000dd"))
    assert not teaching.segmentation(features).class_map().any()


def test_labels_of_whole_photos_teach_too():
    teaching = Teaching().with_photo(photo("red")).marked(1).with_photo(photo("blue")).marked(0).fitted(features)
    assert teaching.whole_photos and teaching.examples == 2
    assert not teaching.segmentation(features).class_map().any()
    assert dataclasses.replace(teaching, shown=0).segmentation(features).class_map().all()


def test_a_photo_that_is_there_is_shown_again_and_there_is_a_most():
    teaching = Teaching()
    for index in range(MAX_PHOTOS):
        teaching = teaching.with_photo(photo((index * 20, 0, 0)))
    assert teaching.with_photo(photo((20, 0, 0))).shown == 1
    with pytest.raises(ValueError, match=f"There are {MAX_PHOTOS} photos"):
        teaching.with_photo(photo("white"))


def test_undo_takes_the_last_tap_back_and_shows_its_photo_and_clear_forgets_all():
    teaching = dataclasses.replace(taught(), shown=0).undone()
    assert (len(teaching.taps), teaching.shown) == (1, 1)
    cleared = taught().cleared()
    assert (cleared.taps, cleared.layer, len(cleared.photos)) == ((), None, 2)
    assert cleared.fitted(features).layer is None
    assert cleared.undone() == cleared


def test_there_is_a_most_of_taps():
    teaching = dataclasses.replace(taught(), taps=taught().taps[:1] * MAX_TAPS)
    with pytest.raises(ValueError, match=f"There are {MAX_TAPS} taps"):
        teaching.tapped(0.1, 0.1, 0)


def test_classes_are_named_and_what_taught_one_that_is_gone_is_forgotten():
    teaching = taught().named(" mug ,  plate,cup")
    assert teaching.classes == ("background", "mug", "plate", "cup")
    teaching = teaching.tapped(0.2, 0.2, 3).marked(2)
    assert [tap.label for tap in teaching.named("mug").taps] == [1, 0]
    assert teaching.named("mug").marks == (None, None)
    assert taught().named("mug").layer is not None  # another name for the same class


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" , ", "Name one class to 5"),
        ("a, b, c, d, e, f", "Name one class to 5"),
        ("mug, Mug", "a name of its own"),
        ("Background", "a name of its own"),
        ("x" * 31, "at most 30 letters"),
    ],
)
def test_impossible_names_are_refused_in_a_sentence(text, message):
    with pytest.raises(ValueError, match=message):
        taught().named(text)


@pytest.fixture
def trunk(tmp_path, monkeypatch):
    """Save a small FCN as the bundled network whose stages a taught one uses."""
    monkeypatch.setattr("segdemo.entries.CHECKPOINTS", tmp_path)
    monkeypatch.setattr("segdemo.checkpoints.FOLDER", tmp_path)
    arguments = {"backbone": "vgg11", "num_classes": 3, "fc_width": 8, "fc_kernel": 1}
    metadata = Metadata(
        "fcn_vgg",
        arguments,
        ("background", "cat", "dog"),
        ("#000000", "#e69f00", "#56b4e9"),
        (0.5,) * 3,
        (0.2,) * 3,
        96,
    )
    path = tmp_path / "trunk.safetensors"
    network = build("fcn_vgg", **arguments)
    save(path, network, metadata)
    return Bundled(**{**ENTRY, "name": "trunk", "checkpoint": path.name}), network


def test_the_file_gives_the_same_mask_and_its_metadata_name_the_trunk(trunk, tmp_path):
    entry, fcn = trunk
    teaching = taught()
    path = tmp_path / "out" / "mug.safetensors"
    teaching.save(path, TaughtVGG(list(fcn.stages), 2), entry)
    assert path.stat().st_size < 20_000
    network, metadata = load(path)
    assert (metadata.trunk, metadata.trunk_sha256) == (entry.file, digest(entry.path))
    assert torch.equal(network.score.weight.flatten(1), teaching.layer.weight)
    opened = Teaching().with_photo(photo("red")).opened(path)
    assert opened.classes == teaching.classes
    assert torch.equal(
        opened.segmentation(features).score_map,
        dataclasses.replace(teaching, shown=0).segmentation(features).score_map,
    )


def test_the_file_is_a_network_that_the_segmenter_loads_by_its_path(trunk, tmp_path):
    entry, fcn = trunk
    path = tmp_path / "out" / "mug.safetensors"
    taught().named("mug").save(path, TaughtVGG(list(fcn.stages), 2), entry)
    segmenter = Segmenter.load(str(path), "cpu")
    found = segmenter(Image.new("RGB", (64, 48), "red"), 64)
    assert (segmenter.name, found.classes, found.stride) == ("mug", ("background", "mug"), 8)
    assert found.class_map().shape == (48, 64)
    with pytest.raises(CheckpointError, match=r"no checkpoint none.safetensors"):
        Segmenter.load(str(tmp_path / "none.safetensors"))


def test_a_checkpoint_of_another_kind_is_refused_in_a_sentence(trunk, tmp_path):
    entry, _ = trunk
    with pytest.raises(ValueError, match="a checkpoint of another kind"):
        taught().opened(entry.path)
    (tmp_path / "no.safetensors").write_bytes(b"no")
    with pytest.raises(CheckpointError):
        taught().opened(tmp_path / "no.safetensors")
