"""Settings of a training run."""

from dataclasses import replace

import pytest

from segdemo.training.datasets import open_dataset
from segdemo.training.recipe import Phase
from segdemo.training.recipes import RECIPES

NAN = float("nan")


@pytest.mark.parametrize(
    "setting",
    [
        {"steps": 0},
        {"image_size": 0},
        {"peak_rate": 0.0},
        {"warmup": 1.0},
        {"frozen": "stages.0."},
        {"area": (0.5, 0.2)},
        {"aspect": (0.0, 1.0)},
        {"pasted": 1.5},
        {"structures": NAN},
        {"zoom_out": 1.0},
    ],
)
def test_a_phase_out_of_range_is_refused(setting):
    with pytest.raises(ValueError, match="phase"):
        Phase(**{"steps": 1, "image_size": 32, **setting})


@pytest.mark.parametrize(
    "setting",
    [
        {"task": "guess"},
        {"phases": ()},
        {"sources": ()},
        {"analysis_size": 0},
        {"weight_decay": -1.0},
        {"class_weights": (1.0,)},
        {"class_weights": (1.0, 0.0, 1.0, 1.0)},
        {"colours": ("#000000",)},
        {"average": 1.0},
        {"label_smoothing": NAN},
    ],
)
def test_a_recipe_out_of_range_is_refused(setting):
    with pytest.raises(ValueError, match="recipe fcn_vgg16"):
        replace(RECIPES["fcn_vgg16"], **setting)


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
    assert [phase.steps for phase in recipe.phases] == [30, 40, 48, 48, 40]
    assert RECIPES["fcn_vgg16"].for_own(open_dataset(own_folder, None, "train"), 5).steps == 25
