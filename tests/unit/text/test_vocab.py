"""The vocabulary is the same in every run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marfa.errors import DataError
from marfa.text.vocab import FIRST, Vocab

COUNTS = st.dictionaries(st.text(min_size=1), st.integers(1, 50), min_size=1)


@given(COUNTS, st.integers(3, 20), st.randoms())
def test_the_order_of_counting_does_not_matter(counts, size, random):
    shuffled = list(counts.items())
    random.shuffle(shuffled)
    assert Vocab.build(counts, size=size) == Vocab.build(dict(shuffled), size=size)


@given(COUNTS, st.integers(3, 20))
def test_commoner_words_have_smaller_ids(counts, size):
    vocab = Vocab.build(counts, size=size)
    kept = [counts[word] for word in vocab.words]
    assert kept == sorted(kept, reverse=True)
    assert vocab.size == min(size, len(counts) + FIRST)
    assert sorted(vocab.ids.values()) == list(range(FIRST, vocab.size))


def test_nothing_is_no_vocabulary():
    with pytest.raises(DataError, match="holds no word"):
        Vocab.build({}, size=10)
    with pytest.raises(DataError, match="holds no word"):
        Vocab.build({"once": 1}, size=10, min_count=2)


@pytest.mark.parametrize("words", [["a", "a"], ["a", ""], ["a", 1], [None]])
def test_a_damaged_list_is_refused(words):
    with pytest.raises(DataError):
        Vocab.read(words)
