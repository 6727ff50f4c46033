"""What is learned from a batch, on the tiny dataset."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from segdemo.models.fcn import STRIDES
from segdemo.training.data import Pets, load_pets
from segdemo.training.negatives import Negatives
from segdemo.training.recipes import RECIPES, Phase
from segdemo.training.tasks import MEAN, STD, TASKS, AllOutputs, ClassifyTask, SegmentTask, normalise

PHASE = Phase(epochs=1, image_size=32, background_zoom=(0.15, 0.5))
SMALL = {"batch_size": 4, "dropout": 0.0, "phases": (PHASE,)}
FCN_ARGUMENTS = {"backbone": "vgg11_bn", "num_classes": 3, "fc_width": 8, "fc_kernel": 1}
SEGMENT = dataclasses.replace(RECIPES["fcn_vgg16"], arguments=FCN_ARGUMENTS, **SMALL)
CLASSIFY = dataclasses.replace(RECIPES["conv1x1_vgg11"], **SMALL)
UNET = dataclasses.replace(
    RECIPES["unet_vgg16_bn"], arguments={"backbone": "vgg11_bn", "num_classes": 3, "widths": (8,) * 5}, **SMALL
)


@pytest.fixture
def pets(pet_folder):
    return load_pets(pet_folder, "trainval", 48)


def with_phase(**settings):
    """Change the small phase."""
    return dataclasses.replace(PHASE, **settings)


def mean_loss(task, images, targets):
    total, weight = task.loss(AllOutputs(task.network)(images), targets)
    return total / weight


@pytest.mark.parametrize("recipe", [SEGMENT, CLASSIFY, UNET], ids=["fcn", "classifier", "unet"])
def test_the_loss_is_finite_and_reaches_every_parameter(recipe, pets):
    task = TASKS[recipe.task](recipe)
    phase = with_phase(background_share=0.25, erased_share=0.25, paste=0.5, soften=0.5)
    loss = mean_loss(task, *task.augment(pets, phase))
    assert loss.shape == ()
    assert loss.isfinite()
    loss.backward()
    for name, parameter in task.network.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.ndim == 1 or parameter.grad.ne(0).any(), name


@pytest.mark.parametrize("recipe", [SEGMENT, CLASSIFY], ids=lambda recipe: recipe.task)
def test_augmenting_changes_neither_photos_nor_labels(recipe, pets):
    before = pets.images.clone(), pets.labels.clone(), pets.species.clone()
    TASKS[recipe.task](recipe).augment(pets, with_phase(background_share=0.3, erased_share=0.3, paste=1.0, soften=1.0))
    assert all(torch.equal(a, b) for a, b in zip(before, (pets.images, pets.labels, pets.species), strict=True))


def test_segmenting_learns_from_the_mean_over_the_three_outputs(pets):
    task = SegmentTask(SEGMENT)
    images, targets = task.augment(pets, PHASE)
    outputs = AllOutputs(task.network)(images)
    assert len(outputs) == len(STRIDES)
    alone = [task.loss((scores,), targets)[0] for scores in outputs]
    torch.testing.assert_close(task.loss(outputs, targets)[0], torch.stack(alone).mean())


def test_segmenting_cuts_labels_out_with_their_photos(pets):
    task = SegmentTask(SEGMENT)
    images, targets = task.augment(pets[torch.arange(32) % len(pets)], with_phase(colour=0.0))
    red_over_green = images[:, 0] * STD[0] + MEAN[0] - images[:, 1] * STD[1] - MEAN[1]
    assert targets.dtype == torch.int64
    assert set(targets.unique().tolist()) == {0, 1, 2, 255}
    assert (red_over_green[(targets == 1) | (targets == 2)] > 0.4).all()
    # Where background meets the border class a pixel may be a blend, so only most of it is green.
    assert (red_over_green[targets == 0] < -0.4).float().mean() > 0.9


def test_segmenting_adds_images_without_a_pet_and_pastes_onto_them(pets):
    task = SegmentTask(SEGMENT)
    phase = with_phase(background_share=0.2, paste=0.5, drawn=0.5, background_zoom=(0.2, 0.4))
    images, targets = task.augment(pets[torch.arange(32) % len(pets)], phase)
    assert len(images) == len(targets) == 40
    assert targets[32:].eq(0).all()
    # The background is plain green, so what stands out was pasted or drawn.
    assert (images[32:].std((2, 3)).amax(1) > 0.1).sum() >= 6


def test_without_a_window_that_holds_no_pet_nothing_is_pasted(pets):
    everywhere = Pets(pets.images, torch.full_like(pets.labels, 2), pets.species)
    images, targets = SegmentTask(SEGMENT).augment(everywhere, with_phase(background_share=0.3, paste=1.0))
    assert len(images) == len(pets) and targets.eq(2).all()


def test_what_is_pasted_is_background(pets):
    everywhere = Pets(pets.images, torch.full_like(pets.labels, 2), pets.species)
    everywhere.labels[:, :16, :16] = 0  # somewhere a patch must come from
    rows = torch.arange(64) % len(pets)
    task = SegmentTask(SEGMENT)
    plain = with_phase(zoom=(0.5, 0.5), aspect=0.0, background_zoom=(0.1, 0.3))
    torch.manual_seed(0)
    without = task.augment(everywhere[rows], plain)[1].eq(0).float().mean()
    torch.manual_seed(0)
    pasted = task.augment(everywhere[rows], dataclasses.replace(plain, paste=1.0))[1].eq(0).float().mean()
    assert pasted > without + 0.1


def test_segmenting_erases_pets(pets):
    images, targets = SegmentTask(SEGMENT).augment(pets, with_phase(erased_share=1 / 3, colour=0.0))
    assert len(images) == 6
    assert targets[4:].eq(0).all() and targets[:4].ne(0).any()
    # The pets are red and everything else is green, though patches change their colours.
    assert (images[4:, 0] - images[4:, 1]).amax() < (images[:4, 0] - images[:4, 1]).amax() - 1


def test_of_many_images_without_a_pet_those_are_kept_in_which_the_network_sees_one(pets):
    task = SegmentTask(SEGMENT)
    task.network.train()
    seen = []
    task.network.register_forward_hook(lambda module, inputs, scores: seen.append((module.training, inputs[0], scores)))
    phase = with_phase(background_share=1 / 5, mined=4, paste=0.5, background_zoom=(0.1, 0.3))
    images, targets = task.augment(pets[torch.arange(16) % len(pets)], phase)
    ((training, candidates, scores),) = seen
    assert len(candidates) == 16 and len(images) == 20
    pet = 1 - scores.softmax(1)[:, 0].mean((1, 2))
    order = pet.argsort(descending=True)
    torch.testing.assert_close(images[16:], candidates[order[:4]])
    assert targets[16:].eq(0).all()
    assert not training and all(module.training for module in task.network.modules())


def test_border_pixels_do_not_change_the_loss():
    task = SegmentTask(SEGMENT)
    target = torch.tensor([[[0, 1], [2, 255]]])
    scores = torch.randn(1, 3, 2, 2)
    changed = scores.clone()
    changed[..., 1, 1] += torch.randn(3)
    ours, theirs = task.loss((scores,), target), task.loss((changed,), target)
    assert torch.equal(ours[0], theirs[0]) and torch.equal(ours[1], theirs[1])


def test_the_loss_weighs_and_smooths_as_the_recipe_says():
    task = SegmentTask(dataclasses.replace(SEGMENT, class_weights=(1.0, 5.0, 2.0), label_smoothing=0.1))
    scores, target = torch.randn(4, 3), torch.tensor([0, 1, 2, 255])
    total, weight = task.loss((scores,), target)
    wanted = F.cross_entropy(scores, target, torch.tensor([1.0, 5.0, 2.0]), ignore_index=255, label_smoothing=0.1)
    assert weight == 8
    torch.testing.assert_close(total / weight, wanted)


def test_classifying_adds_background_crops_that_hold_no_pet(pets):
    # Photos that are white where the label is not background tell what a crop holds; at 8 px no crop is enlarged, so
    # none is blended with pixels outside its box.
    marked = Pets((pets.labels != 0).byte().mul(255)[:, None].expand(-1, 3, -1, -1), pets.labels, pets.species)
    task = ClassifyTask(CLASSIFY)
    phase = with_phase(image_size=8, background_share=1 / 3, colour=0.0, background_zoom=(0.2, 0.4))
    images, targets = task.augment(marked, phase)
    assert targets.tolist() == [1, 2, 1, 2, 0, 0]
    torch.testing.assert_close(images[targets == 0], normalise(torch.zeros(2, 3, 8, 8)))
    assert not torch.allclose(images[targets != 0], normalise(torch.zeros(4, 3, 8, 8)))


def test_classifying_adds_photos_whose_pet_is_erased(pets):
    marked = Pets((pets.labels != 0).byte().mul(255)[:, None].expand(-1, 3, -1, -1), pets.labels, pets.species)
    task = ClassifyTask(CLASSIFY)
    phase = with_phase(image_size=48, erased_share=1 / 3, colour=0.0, background_zoom=(0.2, 0.4))
    images, targets = task.augment(marked, phase)
    assert targets.tolist() == [1, 2, 1, 2, 0, 0]
    torch.testing.assert_close(images[targets == 0], normalise(torch.zeros(2, 3, 48, 48)))


@pytest.mark.parametrize(
    ("crops", "erased", "added"), [(0.0, 0.0, 0), (0.2, 0.0, 1), (1 / 3, 0.0, 2), (1 / 4, 1 / 4, 4)]
)
def test_images_without_a_pet_make_up_their_share_of_the_batch(pets, crops, erased, added):
    images, targets = ClassifyTask(CLASSIFY).augment(pets, with_phase(background_share=crops, erased_share=erased))
    assert targets.eq(0).sum() == added
    assert images.shape == (4 + added, 3, 32, 32)


def test_classifying_goes_on_where_no_background_is_found(pets):
    full = Pets(pets.images, torch.ones_like(pets.labels), pets.species)
    phase = with_phase(background_share=0.2, erased_share=0.2, paste=0.5)
    assert torch.equal(ClassifyTask(CLASSIFY).augment(full, phase)[1], pets.species)


def test_a_twin_s_weights_fit_the_classifier_again():
    task = ClassifyTask(CLASSIFY)
    twin = task.export(task.network)
    adapted = task.adapt(twin.state_dict())
    assert adapted.keys() == task.network.state_dict().keys()
    assert all(torch.equal(tensor, adapted[name]) for name, tensor in task.network.state_dict().items())


@torch.no_grad()
def test_the_exported_twin_answers_as_the_classifier_on_average():
    task = ClassifyTask(CLASSIFY)
    trained = task.network.eval()
    nn.init.normal_(trained.fc.bias)
    twin = task.export(trained).eval()
    images = torch.randn(2, 3, 40, 50)
    torch.testing.assert_close(twin.classify(images), trained(images), rtol=1e-4, atol=1e-4)
    assert twin.score.weight.data_ptr() != trained.fc.weight.data_ptr()


def test_the_trained_fcn_is_exported_as_it_is():
    task = SegmentTask(SEGMENT)
    assert task.export(task.network) is task.network


def test_normalised_photos_have_imagenets_mean_at_zero():
    photo = torch.tensor(MEAN).view(1, 3, 1, 1)
    torch.testing.assert_close(normalise(photo), torch.zeros(1, 3, 1, 1))
    torch.testing.assert_close(normalise(photo + torch.tensor(STD).view(1, 3, 1, 1)), torch.ones(1, 3, 1, 1))


def test_segmenting_learns_from_pictures_beside_the_dataset(pets):
    blue = torch.zeros(1, 3, 16, 16, dtype=torch.uint8)
    blue[:, 2] = 255
    cutout = torch.full((1, 4, 16, 16), 255, dtype=torch.uint8)
    cutout[:, :2] = 0
    task = SegmentTask(SEGMENT, negatives=Negatives(blue, cutout))
    rows = torch.arange(32) % len(pets)
    phase = with_phase(background_share=0.25, background_zoom=(0.2, 0.4), negatives=0.8)
    images, targets = task.augment(pets[rows], phase)
    blueness = images[:, 2] * STD[2] + MEAN[2] - images[:, 1] * STD[1] - MEAN[1]
    assert targets[32:].eq(0).all()
    assert (blueness[32:].amax((1, 2)) > 0.3).sum() >= 5  # of eleven
    # Things lie over some pets too, and are background there.
    over_pets = blueness[:32] > 0.4
    assert over_pets.any() and targets[:32][over_pets].eq(0).all()
    without = SegmentTask(SEGMENT).augment(pets[rows], phase)[0]
    assert (without[:, 2] * STD[2] + MEAN[2] - without[:, 1] * STD[1] - MEAN[1]).amax() < 0.4
