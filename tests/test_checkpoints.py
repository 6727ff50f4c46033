"""Files that are enough to rebuild a network, and files that are not."""

import dataclasses
import errno
import hashlib
import json
import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from segdemo.checkpoints import load, load_metadata, load_tensors, save
from segdemo.checksums import digest, write_sums
from segdemo.metadata import CheckpointError, Metadata
from segdemo.models import ARCHITECTURES, build
from segdemo.models.classifier import Classifier, Conv1x1Segmenter

METADATA = Metadata(
    architecture="tiny",
    arguments={"num_classes": 3},
    classes=("background", "cat", "dog"),
    colours=("#000000", "#e69f00", "#56b4e9"),
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    analysis_size=96,
    dataset="Oxford-IIIT Pet – Katze, Hund",
    recipe={"name": "tiny", "zoom": [0.45, 1.0], "weights": "random"},
    seed=7,
    epochs=3,
    minutes=1.5,
    metrics={"miou": 0.7, "class_iou": {"cat": None}},
    versions={"torch": "2"},
)


def tiny(num_classes, width=4):
    """Build a network of a few hundred weights, BatchNorm among them."""
    layers = nn.Conv2d(3, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)
    return Conv1x1Segmenter(Classifier(nn.Sequential(*layers), 2, nn.Linear(width, num_classes)))


@pytest.fixture(autouse=True)
def _tiny_architecture(monkeypatch):
    monkeypatch.setitem(ARCHITECTURES, "tiny", tiny)


@pytest.fixture
def network():
    made = tiny(3)
    for tensor in made.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(0.1, 1)
    return made


@pytest.fixture
def path(network, tmp_path):
    made = tmp_path / "tiny.safetensors"
    save(made, network, METADATA)
    return made


def rewrite(path: Path, tensors=None, **metadata):
    """Change tensors or metadata entries of a file, past what `save` would write; None removes an entry."""
    with safe_open(path, "pt") as file:
        entries = file.metadata()
    entries |= {key: json.dumps(value) for key, value in metadata.items()}
    entries = {key: text for key, text in entries.items() if text != "null"}
    save_file(load_file(path) if tensors is None else tensors, path, entries)


def refusal(path: Path, **overrides):
    """Give the message with which a file is refused: one line that names it."""
    with pytest.raises(CheckpointError) as caught:
        load(path, **overrides)
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message
    return message


def test_the_network_comes_back_float32_on_the_cpu_and_in_eval_mode(path):
    loaded, _ = load(path)
    assert not loaded.training
    assert not any(module.training for module in loaded.modules())
    assert {(p.dtype, p.device.type, p.requires_grad) for p in loaded.parameters()} == {(torch.float32, "cpu", True)}


def test_weights_come_back_to_float16_precision_and_vectors_exactly(path, network):
    restored = load(path)[0].state_dict()
    for name, tensor in network.state_dict().items():
        exact = tensor.ndim <= 1
        torch.testing.assert_close(restored[name], tensor, rtol=0 if exact else 1e-3, atol=0)


def test_matrices_are_stored_as_float16_and_vectors_as_they_are(path):
    stored = load_file(path)
    assert {tensor.dtype for tensor in stored.values() if tensor.ndim > 1} == {torch.float16}
    assert stored["score.bias"].dtype == stored["backbone.1.running_var"].dtype == torch.float32
    assert stored["backbone.1.num_batches_tracked"].dtype == torch.int64


def test_loading_draws_no_random_numbers(path):
    before = torch.get_rng_state()
    load(path)
    assert torch.equal(torch.get_rng_state(), before)


def test_metadata_comes_back_whole(path):
    assert load_metadata(path) == METADATA
    assert load(path)[1] == METADATA


def test_what_need_not_be_said_has_a_default(path):
    rewrite(path, dataset=None, recipe=None, seed=None, epochs=None, minutes=None, metrics=None, versions=None)
    assert load_metadata(path) == Metadata(*dataclasses.astuple(METADATA)[:7])


def test_entries_of_a_later_version_are_left_alone(path):
    rewrite(path, motto="later")
    assert load_metadata(path) == METADATA


def on_trunk(folder):
    """Save a trunk and a network that uses it; gives both paths and the network."""
    trunk, path = folder / "trunk.safetensors", folder / "taught.safetensors"
    save(trunk, build("fcn_vgg", backbone="vgg11", num_classes=3, fc_width=8, fc_kernel=1), METADATA)
    made = build("taught_vgg", backbone="vgg11", num_classes=3)
    stages = {name: tensor.float() for name, tensor in load_file(trunk).items() if name.startswith("stages.")}
    made.load_state_dict(stages, strict=False)
    arguments = {"backbone": "vgg11", "num_classes": 3}
    names = {"trunk": trunk.name, "trunk_sha256": digest(trunk)}
    metadata = dataclasses.replace(METADATA, architecture="taught_vgg", arguments=arguments, **names)
    save(path, made, metadata)
    return path, trunk, made.eval()


def test_a_network_on_another_files_trunk_saves_its_own_part_alone_and_comes_back_whole(tmp_path):
    path, _, made = on_trunk(tmp_path)
    assert set(load_file(path)) == {"score.weight", "score.bias"}
    assert path.stat().st_size < 20_000
    image = torch.randn(1, 3, 33, 50)
    loaded, metadata = load(path)
    assert metadata.trunk == "trunk.safetensors"
    with torch.inference_mode():
        torch.testing.assert_close(loaded(image), made(image), rtol=1e-2, atol=1e-2)


def test_the_trunk_is_looked_for_among_the_bundled_checkpoints_too(tmp_path, monkeypatch):
    path, trunk, _ = on_trunk(tmp_path)
    (bundled := tmp_path / "bundled").mkdir()
    trunk.rename(bundled / trunk.name)
    assert "it is not here" in refusal(path)
    monkeypatch.setattr("segdemo.checkpoints.FOLDER", bundled)
    load(path)


def test_another_trunk_of_the_same_name_is_refused(tmp_path):
    path, trunk, _ = on_trunk(tmp_path)
    rewrite(trunk, motto="later")
    assert "needs the frozen stages of trunk.safetensors, and another file of that name is here" in refusal(path)


@pytest.mark.parametrize("name", ["../trunk.safetensors", "/etc/passwd", ".safetensors", "a/b.safetensors", 3])
def test_a_trunk_outside_the_folder_is_refused(tmp_path, name):
    path, _, _ = on_trunk(tmp_path)
    rewrite(path, trunk=name)
    refusal(path)


def test_saving_makes_the_folder_and_leaves_nothing_else_behind(network, tmp_path):
    path = tmp_path / "runs" / "one" / "tiny.safetensors"
    for _ in range(2):
        save(path, network, METADATA)
    assert list(path.parent.iterdir()) == [path]


def test_a_save_that_fails_leaves_the_old_file(path, network):
    before = path.read_bytes()
    with pytest.raises(TypeError):
        save(path, network, dataclasses.replace(METADATA, recipe={"made": object()}))
    assert path.read_bytes() == before


@torch.no_grad()
def test_a_network_in_channels_last_is_saved_as_any_other(path, network):
    save(path, network.to(memory_format=torch.channels_last), METADATA)
    images = torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(load(path)[0](images), network.eval()(images), rtol=1e-2, atol=1e-2)


@torch.no_grad()
def test_the_stride_can_be_chosen_on_loading(tmp_path):
    arguments = {"backbone": "vgg11", "num_classes": 3, "fc_width": 8, "fc_kernel": 1, "stride": 8}
    path = tmp_path / "fcn.safetensors"
    save(
        path, build("fcn_vgg", **arguments), dataclasses.replace(METADATA, architecture="fcn_vgg", arguments=arguments)
    )
    images = torch.randn(1, 3, 33, 40)
    loaded, metadata = load(path, stride=16)
    assert (loaded.stride, load(path)[0].stride) == (16, 8)
    assert metadata.arguments == arguments
    torch.testing.assert_close(loaded(images), load(path)[0].forward_all(images)[16])
    assert "stride 32, 16 or 8, not 4" in refusal(path, stride=4)


def test_an_override_that_the_builder_does_not_take_is_refused(path):
    assert "stride" in refusal(path, stride=16)


@pytest.mark.parametrize("size", [0, 4, 8, 100, -200, -1])
def test_a_file_that_is_cut_short_is_refused(path, size):
    path.write_bytes(path.read_bytes()[:size])
    assert "damaged or no checkpoint" in refusal(path)


@pytest.mark.parametrize("name", ["score.weight", "backbone.1.running_var"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite_are_refused(path, name, value):
    tensors = load_file(path)
    tensors[name].view(-1)[-1] = value
    rewrite(path, tensors)
    assert "not finite" in refusal(path)


def test_weights_of_another_architecture_are_refused(path):
    rewrite(path, architecture="conv1x1_vgg", arguments={"backbone": "vgg11", "num_classes": 3})
    assert "does not fit the architecture" in refusal(path)


def test_weights_of_another_width_are_refused(path):
    rewrite(path, arguments={"num_classes": 4})
    assert "num_classes is the number of classes" in refusal(path)


def test_missing_tensors_are_refused(path):
    tensors = load_file(path)
    del tensors["score.bias"]
    rewrite(path, tensors)
    assert "does not fit the architecture" in refusal(path)


def test_tensors_too_many_are_refused(path):
    rewrite(path, load_file(path) | {"extra": torch.zeros(1)})
    assert "does not fit the architecture" in refusal(path)


def test_integers_in_place_of_weights_are_refused(path):
    rewrite(path, {name: tensor.long() for name, tensor in load_file(path).items()})
    refusal(path)


def test_an_unknown_architecture_is_refused(path):
    rewrite(path, architecture="unet")
    assert "unknown architecture 'unet'" in refusal(path)


@pytest.mark.parametrize("field", ["architecture", "arguments", "classes", "colours", "mean", "std", "analysis_size"])
def test_metadata_without_a_needed_entry_is_refused(path, field):
    rewrite(path, **{field: None})
    assert field in refusal(path)


def test_a_file_without_metadata_is_refused(path):
    save_file(load_file(path), path)
    assert "no checkpoint of this program" in refusal(path)
    with pytest.raises(CheckpointError):
        load_metadata(path)


def test_metadata_that_is_no_json_is_refused(path):
    with safe_open(path, "pt") as file:
        entries = file.metadata()
    save_file(load_file(path), path, entries | {"classes": "background, cat"})
    refusal(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("architecture", ["tiny"]),
        ("architecture", 1),
        ("arguments", 1),
        ("arguments", ["num_classes"]),
        ("arguments", {"num_classes": "three"}),
        ("arguments", {"num_classes": -1}),
        ("classes", 3),
    ],
)
def test_metadata_of_the_wrong_type_is_refused(path, field, value):
    rewrite(path, **{field: value})
    refusal(path)


def test_a_backbone_that_is_no_name_is_refused(path):
    rewrite(path, architecture="conv1x1_vgg", arguments={"backbone": 11, "num_classes": 3})
    refusal(path)


def test_arguments_that_ask_for_outside_weights_are_refused(path):
    rewrite(path, arguments={"num_classes": 3, "weights": "DEFAULT"})
    assert "outside weights" in refusal(path)


def test_a_missing_file_is_refused(tmp_path):
    assert "there is no checkpoint" in refusal(tmp_path / "none.safetensors")
    with pytest.raises(CheckpointError):
        load_metadata(tmp_path / "none.safetensors")


def test_a_folder_is_no_checkpoint(tmp_path):
    (tmp_path / "folder.safetensors").mkdir()
    refusal(tmp_path / "folder.safetensors")


class Trap:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("write", [torch.save, lambda trap, path: path.write_bytes(pickle.dumps(trap))])
def test_a_pickle_is_refused_and_not_unpickled(tmp_path, write):
    path, mark = tmp_path / "pickle.safetensors", tmp_path / "unpickled"
    write(Trap(mark), path)
    assert "damaged or no checkpoint" in refusal(path)
    assert not mark.exists()


def test_a_weight_too_large_for_float16_is_refused_on_saving(tmp_path):
    network = tiny(3)
    nn.init.constant_(network.score.weight, 1e6)
    with pytest.raises(CheckpointError, match="not finite"):
        save(tmp_path / "tiny.safetensors", network, METADATA)


@pytest.mark.parametrize("how", ["overwritten", "cut short"])
@torch.no_grad()
def test_a_file_that_is_copied_over_does_not_change_a_loaded_network(path, how):
    loaded, _ = load(path)
    images = torch.rand(1, 3, 8, 8)
    before = loaded(images)
    with path.open("r+b") as file:
        if how == "overwritten":
            file.write(bytes(path.stat().st_size))
        else:
            file.truncate(10)
    assert torch.equal(loaded(images), before)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux lists what a process maps")
def test_nothing_stays_mapped_after_loading(path):
    kept = load(path), load_tensors(path), load_metadata(path)
    assert str(path) not in Path("/proc/self/maps").read_text()  # a test may have mapped another of this name
    del kept


def test_the_sum_is_that_of_the_bytes_that_are_loaded(path, tmp_path, monkeypatch):
    """A file that is exchanged between two readings of it must not pass by the first one's sum."""
    write_sums(tmp_path)
    good = path.read_bytes()
    tensors = load_file(path)
    tensors["score.bias"] += 1
    rewrite(path, tensors)
    swapped = path.read_bytes()
    monkeypatch.setattr("segdemo.checkpoints.digest", lambda _: hashlib.sha256(good).hexdigest())
    monkeypatch.setattr(Path, "read_bytes", lambda _: swapped)
    with pytest.raises(CheckpointError, match="is not the file whose sum"):
        load(path, verified=True)


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_a_checkpoint_may_be_read_by_whom_the_umask_lets(network, tmp_path, umask):
    path = tmp_path / "tiny.safetensors"
    before = os.umask(umask)
    try:
        save(path, network, METADATA)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_file_that_may_not_be_read_is_not_called_damaged(path, monkeypatch):
    def refuse(self, *_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    assert "You are not allowed to use" in refusal(path)


def test_classes_and_outputs_must_agree_in_number(path):
    rewrite(path, classes=("background", "cat"), colours=("#000000", "#e69f00"))
    assert "num_classes is the number of classes" in refusal(path)
