"""The network that writes: shapes, a state that carries on, an unknown character that is nothing."""

import numpy as np
import pytest
import torch
from tests.shapes import VOCABULARY, WRITERS

from marfa.models.generator import Generator
from marfa.models.reading import reader
from marfa.settings import WriterSettings


@pytest.fixture(params=WRITERS, ids=str)
def network(request):
    torch.manual_seed(1)
    return Generator(request.param, VOCABULARY).eval()


@pytest.mark.parametrize(("steps", "batch"), [(1, 1), (7, 3)])
def test_a_score_for_each_id_after_each_character(network, steps, batch):
    logits_TBV, state = network(torch.zeros(steps, batch, dtype=torch.int64))
    assert logits_TBV.shape == (steps, batch, VOCABULARY)
    assert len(state) == network.settings.layers


def test_a_text_read_in_pieces_is_the_text_read_at_once(network):
    tokens_TB = torch.randint(0, VOCABULARY, (9, 2))
    whole_TBV, _ = network(tokens_TB)
    first_TBV, state = network(tokens_TB[:4])
    second_TBV, _ = network(tokens_TB[4:], state)
    torch.testing.assert_close(torch.cat([first_TBV, second_TBV]), whole_TBV)


def test_what_was_never_met_says_nothing(network):
    """The unknown character's numbers begin as zeros: whatever it is, it enters as nothing."""
    weight = network.lstm[0].weight_ih_l0
    enters = network.embedding.weight[0] if network.settings.input == "embedding" else weight[:, 0]
    assert (enters == 0).all()


def test_dropout_is_for_learning_only():
    torch.manual_seed(1)
    network = Generator(WriterSettings(hidden=8, embedding=4, layers=1, dropout=0.9), VOCABULARY)
    tokens_TB = torch.randint(0, VOCABULARY, (5, 2))
    assert not torch.equal(network(tokens_TB)[0], network(tokens_TB)[0])
    read = reader(network)
    first, _ = read(tokens_TB.numpy(), None)
    again, _ = read(tokens_TB.numpy(), None)
    np.testing.assert_array_equal(first, again)
