"""Settings of training runs."""

import json
from dataclasses import asdict

import pytest
import torch

from segdemo.models import ARCHITECTURES, build
from segdemo.training.datasets import KNOWN
from segdemo.training.recipes import RECIPES
from segdemo.training.tasks import TASKS


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
