"""What is had without a network: a bag of words, and the commonest label.

The bag of words reads text exactly as the network's codec does by default (markup stripped, words
of every script), so that the two differ by the model and not by the reading.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from marfa.errors import DataError
from marfa.evaluation.metrics import FloatArray, IntArray
from marfa.text.clean import clean
from marfa.text.words import split

_FEATURES = 500_000
"""Most n-grams kept, the commonest; more than 25,000 reviews hold. A bound on the memory."""
_TINY = 1_000
"""With fewer texts than this, an n-gram seen once is kept: there is too little to be choosy."""
_INVERSE_PENALTY = 100.0
"""On 2,500 validation reviews of IMDb: 10, 30, 60, 100, 200 gave 0.914, 0.915, 0.917, 0.918, 0.916
and a log loss of 0.221, 0.203, 0.200, 0.199, 0.205. A minimal count of 3 changed nothing."""


def majority(train_labels_N: IntArray, n_test: int, n_classes: int) -> FloatArray:
    """Answer every text with the labels' shares in training; the commonest is then the answer.

    Args:
        train_labels_N: index of the label of each training text, shape (N,), 0 to C - 1.
        n_test: number of texts to answer.
        n_classes: number of labels, C.

    Returns:
        Probabilities, shape (n_test, C), all rows equal.

    Raises:
        DataError: if there are no training labels, or one is outside 0 to C - 1.

    >>> majority(np.array([1, 1, 0, 1]), 2, 3)
    array([[0.25, 0.75, 0.  ],
           [0.25, 0.75, 0.  ]])
    """
    labels = _checked(train_labels_N, n_classes)
    shares: npt.NDArray[np.float64] = np.bincount(labels, minlength=n_classes) / len(labels)
    return np.tile(shares, (n_test, 1))


def bag_of_words(
    train_texts: Sequence[str],
    train_labels_N: IntArray,
    test_texts: Sequence[str],
    labels: Sequence[str],
) -> FloatArray:
    """Learn a logistic regression on words and word pairs, and let it answer the test texts.

    On the 25,000 training reviews of IMDb this takes about half a minute and 750 MB. Where nothing
    can be learnt (one label only, no words at all) the answer is `majority`'s.

    Args:
        train_texts: the training texts, raw.
        train_labels_N: index of the label of each, shape (N,), 0 to C - 1.
        test_texts: the texts to answer, raw.
        labels: the names of the labels, C of them.

    Returns:
        Probability of each label for each test text, shape (N_test, C); 0 for a label that training
        does not have.

    Raises:
        DataError: if there are no training texts, or not one label for each.

    >>> texts, labels = ["good", "bad", "good one"], np.array([1, 0, 1])
    >>> found = bag_of_words(texts, labels, ["a good film"], ["bad", "good"])
    >>> found.shape, int(found.argmax())
    ((1, 2), 1)
    """
    truth = _checked(train_labels_N, len(labels))
    if len(train_texts) != len(truth):
        message = f"found {len(train_texts)} texts and {len(truth)} labels, expected one for each"
        raise DataError(message)
    known = np.unique(truth)
    guess = majority(truth, len(test_texts), len(labels))
    if len(known) == 1 or not len(test_texts):
        return guess
    vectoriser = TfidfVectorizer(
        preprocessor=clean,
        tokenizer=_words,
        token_pattern=None,
        lowercase=False,
        ngram_range=(1, 2),
        sublinear_tf=True,
        min_df=1 if len(truth) < _TINY else 2,
        max_features=_FEATURES,
    )
    try:
        train = vectoriser.fit_transform(train_texts)
    except ValueError as error:
        if "vocabulary" not in str(error) and "no terms remain" not in str(error):
            raise
        return guess  # no text has a word, or no word is in two texts
    model = LogisticRegression(C=_INVERSE_PENALTY, tol=1e-5, max_iter=500)
    with warnings.catch_warnings():
        # a bag of words that could be a hair better still serves as a baseline
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(train, truth)
    found = np.zeros(guess.shape)
    found[:, known] = model.predict_proba(vectoriser.transform(test_texts))
    return found


def _words(text: str) -> list[str]:
    return split(text, "every")


def _checked(train_labels_N: IntArray, n_classes: int) -> npt.NDArray[np.int64]:
    labels = np.asarray(train_labels_N)
    if labels.ndim != 1 or not len(labels) or labels.dtype.kind not in "iu":
        message = (
            f"found labels of shape {labels.shape} and type {labels.dtype}, "
            f"expected integers of shape (N,), at least one"
        )
        raise DataError(message, hint="give the training split some texts")
    if labels.min() < 0 or labels.max() >= n_classes:
        message = f"found label {labels.min()} to {labels.max()}, expected 0 to {n_classes - 1}"
        raise DataError(message)
    return labels.astype(np.int64)
