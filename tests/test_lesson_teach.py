"""Teaching a 1×1 conv by taps, against torch's own optimiser and layers."""

import time

import pytest
import torch
from torch import nn

from segdemo.lessons import teach
from segdemo.models import build


def clusters(classes, each, channels=1280, spread=0.7):
    """Draw unit features round a centre for each class, as a frozen network gives them: overlapping, not separate."""
    generator = torch.Generator().manual_seed(classes * each)
    centres = torch.randn(classes, channels, generator=generator) / channels**0.5
    labels = torch.arange(classes).repeat_interleave(each)
    noise = torch.randn(len(labels), channels, generator=generator) / channels**0.5
    return torch.nn.functional.normalize(centres[labels] * (1 - spread) + noise * spread, dim=1), labels


def by_lbfgs(features, labels, classes):
    """Minimise the same objective with torch's LBFGS, from zero."""
    weight, bias = (torch.zeros(shape, dtype=torch.double, requires_grad=True) for shape in ((classes, 1280), classes))
    optimiser = torch.optim.LBFGS(
        [weight, bias], max_iter=2000, tolerance_grad=1e-11, tolerance_change=1e-16, line_search_fn="strong_wolfe"
    )

    def closure():
        optimiser.zero_grad()
        loss = teach.objective(weight, bias, features.double(), labels)
        loss.backward()
        return loss

    optimiser.step(closure)
    return weight.detach(), bias.detach(), float(closure().detach())


@pytest.mark.parametrize(("classes", "each"), [(2, 1), (2, 5), (3, 7), (6, 12)])
@pytest.mark.parametrize("ridge", [1e-4, teach.RIDGE])
def test_newton_reaches_the_optimum_that_lbfgs_finds(classes, each, ridge, monkeypatch):
    monkeypatch.setattr(teach, "RIDGE", ridge)
    features, labels = clusters(classes, each)
    fitted = teach.fit(features, labels, classes)
    weight, bias, loss = by_lbfgs(features, labels, classes)
    assert fitted.loss == pytest.approx(loss, rel=1e-6)
    assert fitted.loss <= loss + 1e-9
    torch.testing.assert_close(fitted.weight, weight.float(), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(fitted.bias, bias.float(), rtol=1e-3, atol=1e-4)
    assert fitted.steps < 20


def test_at_the_fit_the_gradient_of_torch_s_own_loss_is_zero():
    features, labels = clusters(3, 6)
    fitted = teach.fit(features, labels, 3)
    weight, bias = fitted.weight.double().requires_grad_(), fitted.bias.double().requires_grad_()
    teach.objective(weight, bias, features.double(), labels).backward()
    assert weight.grad.abs().max() < 1e-7
    assert bias.grad.abs().max() < 1e-7


def test_a_class_without_a_tap_and_taps_on_one_cell_have_a_finite_fit():
    features, _ = clusters(2, 1)
    fitted = teach.fit(features[:1].repeat(4, 1), torch.tensor([0, 1, 1, 1]), 3)
    assert fitted.weight.isfinite().all()
    scores = features[0] @ fitted.weight.T + fitted.bias
    assert scores.argmax() == 1 and scores.argmin() == 2


def test_as_many_taps_and_classes_as_there_may_be_are_fitted_in_time():
    features, labels = clusters(6, teach.MAX_TAPS // 6)
    start = time.perf_counter()
    fitted = teach.fit(features, labels, 6)
    assert time.perf_counter() - start < 5  # far more than it takes, for a busy machine
    assert fitted.steps < 20


@pytest.mark.parametrize(
    ("point", "cell"), [((0, 0), (0, 0)), ((0.999, 0.5), (2, 5)), ((1, 1), (4, 5)), ((-0.1, 2), (4, 0))]
)
def test_a_point_lies_in_the_cell_that_covers_it(point, cell):
    assert teach.cell_at(*point, (5.5, 4.25)) == cell  # six columns and five rows, the last ones in part


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return build("taught_vgg", backbone="vgg11", num_classes=3).eval()


def test_features_of_any_size_have_a_cell_for_each_8_pixels(network):
    assert teach.photo_features(network, torch.randn(3, 33, 50)).shape == (1280, 5, 7)


def test_the_taps_features_are_those_of_their_cells(network):
    features = [torch.randn(1280, 4, 6), torch.randn(1280, 3, 3)]
    taps = [teach.Tap(1, 0.5, 0.9, 1), teach.Tap(0, 0.2, 0.3, 0)]
    found = teach.tapped(features, [(6.0, 4.0), (3.0, 3.0)], taps)
    assert torch.equal(found, torch.stack([features[1][:, 2, 1], features[0][:, 1, 1]]))


def test_a_fit_on_taps_answers_at_every_cell_of_another_photo(network):
    """One colour is the class, another is not: what is learned on one photo holds on the next."""
    red, blue = torch.tensor([2.0, -1, -1]), torch.tensor([-1.0, -1, 2])

    def photo(split):
        image = blue.view(3, 1, 1).repeat(1, 64, 128)
        image[:, :, :split] = red.view(3, 1, 1)
        return image + torch.randn(3, 64, 128, generator=torch.Generator().manual_seed(split)) * 0.1

    features = teach.photo_features(network, photo(64))
    taps = [teach.Tap(0, x, y, int(x < 0.5)) for x in (0.1, 0.25, 0.75, 0.9) for y in (0.3, 0.7)]
    found = teach.tapped([features], [(16.0, 8.0)], taps)
    two = build("taught_vgg", backbone="vgg11", num_classes=2).eval()
    two.stages.load_state_dict(network.stages.state_dict())
    teach.install(two, teach.fit(found, torch.tensor([tap.label for tap in taps]), 2))
    with torch.inference_mode():
        winner = two(photo(32)[None])[0].argmax(0)
    assert winner[:, :24].float().mean() > 0.9
    assert winner[:, 48:].float().mean() < 0.1


def test_labels_of_whole_photos_teach_a_linear_that_answers_at_each_cell():
    """Pooling, a Linear, then the 1×1 conv: the mean of the score map is the Linear's answer."""
    generator = torch.Generator().manual_seed(0)
    part = torch.nn.functional.normalize(torch.randn(8, generator=generator), dim=0)
    photos = [torch.randn(8, 4, 4, generator=generator) * 0.1 for _ in range(6)]
    for photo in photos[:3]:
        photo[:, 1:3, 1:3] += part.view(8, 1, 1)
    fitted = teach.fit(teach.pooled(photos), torch.tensor([1, 1, 1, 0, 0, 0]), 2)
    scores = torch.einsum("kc,chw->khw", fitted.weight, photos[0]) + fitted.bias.view(2, 1, 1)
    answer = nn.functional.linear(teach.pooled(photos)[0], fitted.weight, fitted.bias)
    torch.testing.assert_close(scores.mean((1, 2)), answer)
    margin = scores[1] - scores[0]
    assert margin[1:3, 1:3].min() > margin[0].max()


def test_one_weight_is_conv_and_linear(network):
    teach.install(network, teach.Fit(torch.randn(3, 1280), torch.randn(3), 0.0, 1))
    found = teach.compare_layers(network.score, torch.randn(1280, 6, 9), 2, 3)
    assert (found.conv_shape, found.linear_shape) == ((3, 1280, 1, 1), (3, 1280))
    assert 0 <= found.cell_difference < 1e-4
    assert 0 <= found.pooled_difference < 1e-4
