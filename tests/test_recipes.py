"""Settings of training runs."""

import dataclasses
import json

import pytest
import torch

from segdemo.models import ARCHITECTURES, build
from segdemo.training.data import CLASSES
from segdemo.training.recipes import RECIPES, Phase, Recipe
from segdemo.training.tasks import TASKS

NAN = float("nan")


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_bundled_recipe_can_be_trained(recipe):
    assert RECIPES[recipe.name] is recipe
    assert recipe.task in TASKS
    assert recipe.architecture in ARCHITECTURES
    assert recipe.arguments["num_classes"] == len(recipe.class_weights) == len(CLASSES)
    assert "weights" not in recipe.arguments
    assert dataclasses.replace(recipe) == recipe


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_bundled_recipes_task_exports_the_network_that_its_checkpoint_names(recipe):
    with torch.device("meta"):
        task = TASKS[recipe.task](recipe)
        wanted = build(recipe.architecture, **recipe.arguments)
        exported = task.export(task.network)
    assert type(exported) is type(wanted)
    assert {k: v.shape for k, v in exported.state_dict().items()} == {
        k: v.shape for k, v in wanted.state_dict().items()
    }


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_recipe_survives_json(recipe):
    restored = json.loads(json.dumps(dataclasses.asdict(recipe)))
    assert restored["name"] == recipe.name
    assert [tuple(phase["zoom"]) for phase in restored["phases"]] == [phase.zoom for phase in recipe.phases]


ONE = (Phase(epochs=1),)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("task", "detect"),
        ("phases", ()),
        ("batch_size", 0),
        ("analysis_size", -1),
        ("weight_decay", -0.1),
        ("average", 1.0),
        ("label_smoothing", -0.1),
        ("dropout", 1.0),
        ("dropout", NAN),
    ],
)
def test_a_setting_outside_its_range_is_refused_by_name(setting, value):
    with pytest.raises(ValueError, match=f"recipe x: .*{setting}.*"):
        Recipe(**{"name": "x", "task": "segment", "architecture": "fcn_vgg", "phases": ONE, setting: value})


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("epochs", 0),
        ("image_size", 0),
        ("peak_rate", 0.0),
        ("peak_rate", NAN),
        ("warmup", 1.0),
        ("warmup", -0.1),
        ("frozen", ["stages."]),
        ("frozen", ("",)),
        ("background_share", 0.4),
        ("erased_share", -0.1),
        ("paste", 1.1),
        ("soften", NAN),
        ("drawn", 1.5),
        ("mined", 0),
        ("aspect", -0.1),
        ("colour", -0.1),
        ("zoom", (0.0, 1.0)),
        ("zoom", (0.9, 0.5)),
        ("zoom", (0.5, 1.1)),
        ("background_zoom", (-0.1, 0.5)),
        ("background_zoom", (0.5, 0.4)),
    ],
)
def test_a_setting_of_a_phase_outside_its_range_is_refused_by_name(setting, value):
    with pytest.raises(ValueError, match=f"phase: .*{setting}.*"):
        Phase(**{"epochs": 1, setting: value})


def test_the_ends_of_a_range_are_allowed():
    Phase(epochs=1, warmup=0.0, background_share=1 / 3, erased_share=1 / 3, paste=1.0, aspect=0, zoom=(1.0, 1.0))
    Recipe(name="x", task="segment", architecture="fcn_vgg", phases=ONE, weight_decay=0)


def test_everything_that_is_wrong_is_said_at_once():
    with pytest.raises(ValueError, match=r"task is .*; weight_decay .*; dropout is"):
        Recipe(name="x", task="", architecture="", phases=ONE, weight_decay=-1, dropout=2.0)


def test_an_epoch_belongs_to_a_phase():
    phases = (Phase(epochs=2), Phase(epochs=3, image_size=96))
    recipe = Recipe(name="x", task="segment", architecture="fcn_vgg", phases=phases)
    assert recipe.epochs == 5
    assert [recipe.phase_at(epoch) for epoch in range(5)] == [(0, 0)] * 2 + [(1, 2)] * 3
    with pytest.raises(ValueError, match="has 5 epochs, no epoch 6"):
        recipe.phase_at(5)


def test_a_recipe_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        next(iter(RECIPES.values())).batch_size = 2
