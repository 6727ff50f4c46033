"""Settings of training runs."""

import json
from dataclasses import asdict, replace

import pytest
import torch

from segdemo.models import ARCHITECTURES, build
from segdemo.training.datasets import KNOWN, open_dataset
from segdemo.training.recipes import RECIPES, Phase
from segdemo.training.tasks import TASKS

NAN = float("nan")


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_bundled_recipe_can_be_trained(recipe):
    assert RECIPES[recipe.name] is recipe
    assert recipe.task in TASKS
    assert recipe.architecture in ARCHITECTURES
    assert all(source.name in KNOWN for source in recipe.sources)
    assert json.loads(json.dumps(asdict(recipe)))["name"] == recipe.name


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_its_task_exports_the_network_that_its_checkpoint_names(recipe):
    with torch.device("meta"):
        task = TASKS[recipe.task](recipe)
        wanted = build(recipe.architecture, **recipe.arguments, num_classes=len(recipe.classes))
        exported = task.export(task.network)
    assert type(exported) is type(wanted)
    shapes = [{k: v.shape for k, v in network.state_dict().items()} for network in (exported, wanted)]
    assert shapes[0] == shapes[1]


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
