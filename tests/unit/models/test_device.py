"""What computes is chosen in one place, and every number is where it computes."""

import pytest
import torch

from marfa.errors import SettingsError
from marfa.models.classifier import Classifier
from marfa.models.device import chosen
from marfa.models.generator import Generator, cell_size
from marfa.settings import ModelSettings, WriterSettings

ELSEWHERE = torch.device("meta")
"""A device without numbers, on which shapes are computed; it refuses to meet another, as a GPU does."""


def numbers(*shape):
    return torch.ones(shape, dtype=torch.int64, device=ELSEWHERE)


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "mean+max"])
@pytest.mark.parametrize("both", [False, True])
def test_a_classifier_makes_no_number_elsewhere_than_on_its_device(pooling, both):
    shape = ModelSettings(embedding=4, hidden=3, pooling=pooling, bidirectional=both, skip=True)
    network = Classifier(shape, vocabulary=10, labels=2).to(ELSEWHERE)
    logits_BC = network(numbers(3, 5), numbers(3))
    logits_BC.sum().backward()
    assert logits_BC.device == ELSEWHERE


@pytest.mark.parametrize("reads", ["embedding", "one-hot"])
def test_a_generator_makes_no_number_elsewhere_than_on_its_device(reads):
    shape = WriterSettings(embedding=4, hidden=3, layers=2, input=reads)
    network = Generator(shape, vocabulary=10).to(ELSEWHERE)
    _, state = network(numbers(5, 3))
    logits_TBV, state = network(numbers(5, 3), state)
    (logits_TBV.sum() + cell_size(state)).backward()
    assert logits_TBV.device == cell_size(state).device == ELSEWHERE


def test_the_check_would_see_a_number_elsewhere():
    with pytest.raises(RuntimeError, match="device"):
        numbers(3) + torch.ones(3)


def test_without_a_gpu_the_processor_is_taken_unless_a_gpu_was_asked_for():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with chosen("auto") as device:
        assert device.type == "cpu"
    with pytest.raises(SettingsError, match="no GPU"), chosen("cuda"):
        pass
