"""The table of networks and the checkpoints behind it."""

from pathlib import Path

import gradio as gr
import pytest
import torch
import torch.nn.functional as F
from matplotlib.cbook import get_sample_data
from torchvision.models import get_model
from torchvision.models.feature_extraction import create_feature_extractor

from segdemo import catalog, entries
from segdemo.checksums import SUMS, verify
from segdemo.images import read_image
from segdemo.metadata import CheckpointError
from segdemo.models.network import pad_to_multiple
from segdemo.segmenter import Segmenter
from segdemo.weights import WeightsError, cached_file

MEGABYTE = 1_000_000


@pytest.mark.parametrize("entry", catalog.BUNDLED.values(), ids=catalog.BUNDLED)
def test_every_network_loads_from_its_bundled_checkpoint(entry):
    network = entry.load()
    assert not network.training
    assert len(entry.metadata.classes) >= 3
    assert entry.path.stat().st_size < 50 * MEGABYTE


def test_a_cheetah_is_a_cat_and_no_dog():
    areas = Segmenter.load("fcn8s_vgg16", "cpu")(read_image(gr.get_image("cheetah1.jpg"))).areas
    assert areas["cat"] > 0.3
    assert areas["dog"] < 0.1


@pytest.mark.parametrize(
    ("network", "photo"),
    [
        ("fcn8s_vgg16", "cheetah1.jpg"),
        ("fcn16s_vgg16", "cheetah1.jpg"),
        ("fcn32s_vgg16", "cheetah1.jpg"),
        ("unet_vgg16_bn", "lion.jpg"),
        ("conv1x1_vgg11", "lion.jpg"),
    ],
)
def test_no_network_has_its_cats_and_dogs_mixed_up(network, photo):
    areas = Segmenter.load(network, "cpu")(read_image(gr.get_image(photo))).areas
    assert areas["cat"] > areas["dog"] + 0.15, areas


def test_the_name_of_an_fcn_picks_the_output_of_one_checkpoint():
    for ending in ("", "_camvid"):
        fcns = {stride: catalog.find(f"fcn{stride}s_vgg16{ending}") for stride in (8, 16, 32)}
        assert [entry.load().stride for entry in fcns.values()] == [8, 16, 32]
        assert len({entry.path for entry in fcns.values()}) == 1


def test_the_checkpoints_say_what_they_were_trained_on_and_how():
    for entry in catalog.BUNDLED.values():
        metadata = entry.metadata
        assert any(name in metadata.dataset for name in ("Oxford-IIIT Pet", "CamVid"))
        assert metadata.recipe["start"]
        assert metadata.terms
        assert metadata.epochs > 0
        assert metadata.metrics


PRETRAINED = {name: entry for name, entry in catalog.ENTRIES.items() if name not in catalog.BUNDLED}
BUILD = {
    "dense_vgg16_imagenet": lambda: get_model("vgg16"),
    "conv1x1_resnet18_imagenet": lambda: get_model("resnet18"),
    "fcn_resnet50_voc": lambda: get_model("fcn_resnet50", weights_backbone=None, num_classes=21, aux_loss=True),
}


@pytest.fixture
def random_weights(tmp_path, monkeypatch):
    """Give a function that puts random weights where torchvision would put those that it downloads."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    torch.hub.set_dir(tmp_path / "hub")

    def write(name):
        model = BUILD[name]().eval()
        path = cached_file(PRETRAINED[name].weights)
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(model.state_dict(), path)
        return model

    yield write
    torch.hub._hub_dir = None


def test_twelve_networks_are_on_offer():
    assert len(catalog.BUNDLED) == 9
    assert len(PRETRAINED) == 3
    for entry in PRETRAINED.values():
        metadata = entry.metadata
        assert len(metadata.classes) == len(set(metadata.classes)) == len(metadata.colours)
        assert len(metadata.classes) in (21, 1000)
        assert metadata.mean == (0.485, 0.456, 0.406)
    assert PRETRAINED["fcn_resnet50_voc"].metadata.classes[0] == "background"


@torch.no_grad()
def test_the_dense_vgg_computes_torchvisions_logits_at_224_px(random_weights):
    vgg = random_weights("dense_vgg16_imagenet")
    dense = catalog.find("dense_vgg16_imagenet").load()
    images = torch.randn(1, 3, 224, 224)
    wanted, score_map = vgg(images), dense.score_map(images)
    assert score_map.shape == (1, 1000, 7, 7)
    assert (score_map[..., 3, 3] - wanted).abs().max() <= 1e-4 * wanted.abs().max()
    assert dense.padded_score_map(torch.randn(1, 3, 33, 100)).shape == (1, 1000, 2, 4)


@torch.no_grad()
@pytest.mark.parametrize("size", [(224, 224), (250, 333)])
def test_the_resnet_s_scores_are_torchvisions_on_the_photo_moved_by_half_a_stride(random_weights, size):
    resnet = random_weights("conv1x1_resnet18_imagenet")
    network = catalog.find("conv1x1_resnet18_imagenet").load()
    images = torch.randn(2, 3, *size)
    moved = F.pad(pad_to_multiple(images, 32), (16, 17, 16, 17), mode="replicate")
    features = create_feature_extractor(resnet, ["layer4"])(moved)["layer4"][..., 1:-1, 1:-1]
    torch.testing.assert_close(network.classify(images), resnet.fc(features.mean((2, 3))), rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_the_fcn_s_scores_are_torchvisions_on_the_photo_moved_by_half_a_stride(random_weights):
    fcn = random_weights("fcn_resnet50_voc")
    images = torch.randn(1, 3, 64, 96)
    ours = catalog.find("fcn_resnet50_voc").load().score_map(images)
    cells = fcn.classifier(fcn.backbone(F.pad(images, (4, 5, 4, 5), mode="replicate"))["out"])
    torch.testing.assert_close(ours, cells[..., 1:-1, 1:-1], rtol=1e-3, atol=1e-4)


def test_another_network_s_weights_in_the_place_are_refused_in_a_sentence(random_weights):
    random_weights("conv1x1_resnet18_imagenet")
    wrong = cached_file(PRETRAINED["conv1x1_resnet18_imagenet"].weights)
    wrong.rename(cached_file(PRETRAINED["fcn_resnet50_voc"].weights))
    with pytest.raises(WeightsError, match="holds another network's weights: delete it"):
        catalog.find("fcn_resnet50_voc").load()


def test_an_unknown_name_is_refused_with_the_choices():
    with pytest.raises(ValueError, match=r"no network named 'unet'.*conv1x1_vgg11"):
        catalog.find("unet")


def test_only_the_outputs_of_one_checkpoint_share_a_pass():
    fcns = ["fcn8s_vgg16", "fcn16s_vgg16", "fcn32s_vgg16"]
    assert all(catalog.sharing(catalog.find(name)) == fcns for name in fcns)
    for name in ("conv1x1_vgg11", "dense_vgg16_imagenet"):
        assert catalog.sharing(catalog.find(name)) == [name]


def test_networks_are_offered_by_what_they_know_the_first_group_first():
    groups = [entry.group for entry in catalog.ENTRIES.values()]
    assert groups == sorted(groups, key=catalog.GROUPS.index)
    assert groups[0] == "pets and people"
    assert len({entry.label for entry in catalog.ENTRIES.values()}) == len(groups)
    assert catalog.find("fcn_resnet50_voc").label == "ResNet50-FCN · VOC's 20"


def test_every_bundled_checkpoint_is_the_one_whose_sum_the_table_has():
    for entry in catalog.BUNDLED.values():
        verify(entry.path)


def test_a_bundled_checkpoint_that_was_exchanged_is_refused(tmp_path, monkeypatch):
    table = entries.CHECKPOINTS / SUMS
    (tmp_path / SUMS).write_bytes(table.read_bytes())
    monkeypatch.setattr(entries, "CHECKPOINTS", tmp_path)
    for entry in catalog.BUNDLED.values():
        entry.path.write_bytes(b"another file")
        with pytest.raises(CheckpointError, match=f"{entry.checkpoint} is not the file"):
            entry.load()


def test_weights_in_a_folder_that_may_not_be_looked_into_are_not_there(monkeypatch):
    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", refuse)
    assert not catalog.find("fcn_resnet50_voc").is_present


def test_a_visitors_file_has_a_name_that_no_list_shows(tmp_path, monkeypatch):
    monkeypatch.setattr(catalog, "_MOST_LENT", 2)
    path = catalog.find("conv1x1_resnet18").path
    first, *others = (catalog.lend(path) for _ in range(3))
    assert len({each.name for each in (first, *others)}) == 3
    for entry in others:
        assert catalog.find(entry.name).path == path
        assert entry.name not in catalog.ENTRIES | catalog.own_entries()
    with pytest.raises(ValueError, match="There is no network named") as refused:  # the oldest made room
        catalog.find(first.name)
    assert not any(entry.name in str(refused.value) for entry in others)


@pytest.mark.parametrize("network", ["conv1x1_vgg11", "conv1x1_resnet18"])
def test_a_classifier_sees_a_person_and_no_pet(network):
    areas = Segmenter.load(network, "cpu")(read_image(get_sample_data("grace_hopper.jpg", asfileobj=False))).areas
    assert areas["person"] > 0.5
    assert areas["cat"] + areas["dog"] < 0.05


@pytest.mark.parametrize("network", ["conv1x1_vgg11", "conv1x1_resnet18"])
def test_a_classifier_s_checkpoint_was_measured_to_know_cats_dogs_and_people(network):
    for figures in catalog.find(network).metadata.metrics.values():  # a half is what guessing gives
        assert figures["image_accuracy"] > 0.75
