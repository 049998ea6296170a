"""The network reads padded batches as if there were no padding, in both directions."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shapes import LABELS, SHAPES, VOCABULARY
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from marfa.models.classifier import Classifier
from marfa.settings import ModelSettings

TEXTS = st.lists(
    st.lists(st.integers(1, VOCABULARY - 1), min_size=1, max_size=9), min_size=1, max_size=5
)


def network(shape):
    torch.manual_seed(0)
    return Classifier(shape, VOCABULARY, LABELS).eval()


def padded(texts):
    lengths = [len(text) for text in texts]
    rows = [text + [0] * (max(lengths) - len(text)) for text in texts]
    return torch.tensor(rows), torch.tensor(lengths)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@given(texts=TEXTS)
@settings(max_examples=10)
def test_padding_changes_nothing(shape, texts):
    model = network(shape)
    with torch.inference_mode():
        together = model(*padded(texts))
        alone = torch.cat([model(*padded([text])) for text in texts])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_both_directions_are_those_of_a_packed_lstm():
    model = network(ModelSettings(embedding=5, hidden=4, pooling="mean", skip=False))
    tokens, lengths = padded([[3, 4, 5, 6], [7], [8, 9]])
    twin = nn.LSTM(5, 4, bidirectional=True)
    for direction, suffix in enumerate(("", "_reverse")):
        for name, weight in model.lstm[0][direction].named_parameters():
            getattr(twin, name + suffix).data.copy_(weight)
    embedded = model.embedding(tokens.t())
    states, _ = pad_packed_sequence(
        twin(pack_padded_sequence(embedded, lengths, enforce_sorted=False))[0]
    )
    expected = model.output(states.sum(0) / lengths[:, None])
    torch.testing.assert_close(model(tokens, lengths), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES[:4], ids=str)
def test_shapes_of_one_word_and_one_text(shape):
    assert network(shape)(torch.tensor([[2]]), torch.tensor([1])).shape == (1, LABELS)


def test_the_padding_row_never_learns():
    model = network(ModelSettings(embedding=5, hidden=4)).train()
    model(*padded([[3, 4, 5], [6]])).sum().backward()
    assert model.embedding.weight.grad[0].abs().sum() == 0
    assert model.embedding.weight.grad[3].abs().sum() > 0
