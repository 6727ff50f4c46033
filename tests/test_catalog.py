"""The table of networks and the checkpoints behind it."""

import pytest

from segdemo import catalog

MEGABYTE = 1_000_000


@pytest.mark.parametrize("entry", catalog.ENTRIES.values(), ids=catalog.ENTRIES)
def test_every_network_loads_from_its_bundled_checkpoint(entry):
    network = entry.load()
    assert not network.training
    assert entry.metadata.classes == ("background", "cat", "dog")
    assert entry.path.stat().st_size < 50 * MEGABYTE


def test_the_name_of_an_fcn_picks_the_output_of_one_checkpoint():
    fcns = {name: entry for name, entry in catalog.ENTRIES.items() if name.startswith("fcn")}
    assert {name: entry.load().stride for name, entry in fcns.items()} == {
        "fcn8s_vgg16": 8,
        "fcn16s_vgg16": 16,
        "fcn32s_vgg16": 32,
    }
    assert len({entry.path for entry in fcns.values()}) == 1


def test_the_checkpoints_say_what_they_were_trained_on_and_how():
    for entry in catalog.ENTRIES.values():
        metadata = entry.metadata
        assert "Oxford-IIIT Pet" in metadata.dataset
        assert metadata.recipe["start"] == "random"
        assert metadata.epochs > 0
        assert metadata.metrics


def test_an_unknown_name_is_refused_with_the_choices():
    with pytest.raises(ValueError, match=r"no network named 'unet'.*conv1x1_vgg11"):
        catalog.find("unet")
