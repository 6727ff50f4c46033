"""Settings of a training run."""

from dataclasses import replace

import pytest

from segdemo.training.datasets import open_dataset
from segdemo.training.recipe import Phase
from segdemo.training.recipes import RECIPES


def test_a_step_belongs_to_a_phase():
    phases = (Phase(steps=2, image_size=32), Phase(steps=3, image_size=32))
    recipe = replace(RECIPES["fcn_vgg16"], phases=phases)
    assert [recipe.phase_at(step) for step in range(5)] == [(0, 0), (0, 0), (1, 2), (1, 2), (1, 2)]
    with pytest.raises(ValueError, match="no step 6"):
        recipe.phase_at(5)


def test_a_folder_of_one_s_own_brings_its_classes_and_takes_fewer_steps(own_folder):
    recipe = RECIPES["fcn_vgg16"].for_own(open_dataset(own_folder, None, "train"))
    assert recipe.name == "mugs"
    assert recipe.classes == ("background", "mug")
    assert [phase.steps for phase in recipe.phases] == [30, 40, 48, 48, 40, 40]
    assert RECIPES["fcn_vgg16"].for_own(open_dataset(own_folder, None, "train"), 5).steps == 30
