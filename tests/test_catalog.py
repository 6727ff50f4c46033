"""The table of networks and the checkpoints behind it."""

import pytest
import torch
from torchvision.models import get_model

from segdemo import catalog
from segdemo.checkpoints import SUMS, CheckpointError, verify
from segdemo.weights import WeightsError, cached_file

MEGABYTE = 1_000_000


@pytest.mark.parametrize("entry", catalog.BUNDLED.values(), ids=catalog.BUNDLED)
def test_every_network_loads_from_its_bundled_checkpoint(entry):
    network = entry.load()
    assert not network.training
    assert entry.metadata.classes == ("background", "cat", "dog")
    assert entry.path.stat().st_size < 50 * MEGABYTE


def test_the_name_of_an_fcn_picks_the_output_of_one_checkpoint():
    fcns = {name: entry for name, entry in catalog.BUNDLED.items() if name.startswith("fcn")}
    assert {name: entry.load().stride for name, entry in fcns.items()} == {
        "fcn8s_vgg16": 8,
        "fcn16s_vgg16": 16,
        "fcn32s_vgg16": 32,
    }
    assert len({entry.path for entry in fcns.values()}) == 1


def test_the_checkpoints_say_what_they_were_trained_on_and_how():
    for entry in catalog.BUNDLED.values():
        metadata = entry.metadata
        assert "Oxford-IIIT Pet" in metadata.dataset
        assert metadata.recipe["start"].rstrip(")").endswith("random")
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


def test_nine_networks_less_those_not_yet_trained_are_on_offer():
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
    torch.testing.assert_close(dense.classify(score_map), wanted, rtol=1e-3, atol=1e-5)
    assert dense.padded_score_map(torch.randn(1, 3, 33, 100)).shape == (1, 1000, 2, 4)


@torch.no_grad()
@pytest.mark.parametrize("size", [(224, 224), (250, 333)])
def test_the_resnet_s_scores_average_to_torchvisions_logits(random_weights, size):
    resnet = random_weights("conv1x1_resnet18_imagenet")
    twin = catalog.find("conv1x1_resnet18_imagenet").load()
    images = torch.randn(2, 3, *size)
    torch.testing.assert_close(twin.classify(images), resnet(images), rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_the_fcn_s_scores_are_torchvisions(random_weights):
    fcn = random_weights("fcn_resnet50_voc")
    images = torch.randn(1, 3, 64, 96)
    ours = catalog.find("fcn_resnet50_voc").load()(images)
    torch.testing.assert_close(ours, fcn(images)["out"], rtol=1e-3, atol=1e-4)


def test_another_network_s_weights_in_the_place_are_refused_in_a_sentence(random_weights):
    random_weights("conv1x1_resnet18_imagenet")
    wrong = cached_file(PRETRAINED["conv1x1_resnet18_imagenet"].weights)
    wrong.rename(cached_file(PRETRAINED["fcn_resnet50_voc"].weights))
    with pytest.raises(WeightsError, match="holds another network's weights: delete it"):
        catalog.find("fcn_resnet50_voc").load()


def test_an_unknown_name_is_refused_with_the_choices():
    with pytest.raises(ValueError, match=r"no network named 'unet'.*conv1x1_vgg11"):
        catalog.find("unet")


def test_only_the_outputs_of_one_checkpoint_are_siblings():
    fcns = {"fcn8s_vgg16": 8, "fcn16s_vgg16": 16, "fcn32s_vgg16": 32}
    assert all(catalog.siblings(name) == fcns for name in fcns)
    assert catalog.siblings("conv1x1_vgg11") == catalog.siblings("dense_vgg16_imagenet") == catalog.siblings("x") == {}


def test_every_bundled_checkpoint_is_the_one_whose_sum_the_table_has():
    for entry in catalog.BUNDLED.values():
        verify(entry.path)


def test_a_bundled_checkpoint_that_was_exchanged_is_refused(tmp_path, monkeypatch):
    table = catalog.CHECKPOINTS / SUMS
    (tmp_path / SUMS).write_bytes(table.read_bytes())
    monkeypatch.setattr(catalog, "CHECKPOINTS", tmp_path)
    for entry in catalog.BUNDLED.values():
        entry.path.write_bytes(b"another file")
        with pytest.raises(CheckpointError, match=f"{entry.checkpoint} is not the file"):
            entry.load()
