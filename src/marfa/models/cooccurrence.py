"""First embeddings, from which words stand near which in the training texts alone.

Positive pointwise mutual information of words within a window, with smoothed contexts, reduced by a
truncated singular value decomposition (Levy, Goldberg and Dagan, "Improving distributional similarity
with lessons learned from word embeddings", TACL 2015, sections 2 and 3.2). Labels play no part.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from marfa.data.dataset import Split
from marfa.settings import TrainSettings
from marfa.text.vocab import PADDING

Floats = npt.NDArray[np.float32]
_FEWEST_PAIRS = 10
_SPARE = 5


def embeddings(split: Split, vocabulary: int, width: int, settings: TrainSettings) -> Floats | None:
    """Make an embedding of every word from the training texts.

    Args:
        split: the training texts.
        vocabulary: number of word ids V.
        width: numbers that stand for a word, E.
        settings: `near`, `context_power` and `embedding_size`, and the seed of the decomposition.

    Returns:
        Shape (V, E), every row of the same length, padding zero; None where there is too little text
        for so many numbers.
    """
    counts = _count(split, vocabulary, settings.near)
    if width + _SPARE >= vocabulary or counts.nnz < width * _FEWEST_PAIRS:
        return None
    found = counts.tocoo()
    rows_V = np.asarray(counts.sum(axis=1)).ravel()
    contexts_V = rows_V**settings.context_power
    contexts_V /= contexts_V.sum()
    information = np.log(found.data / (rows_V[found.row] * contexts_V[found.col]))
    positive = information > 0
    matrix_VV = sparse.csr_matrix(
        (information[positive].astype(np.float32), (found.row[positive], found.col[positive])),
        shape=(vocabulary, vocabulary),
    )
    left_VE, strength_E, _ = randomized_svd(
        matrix_VV, width, n_oversamples=16, n_iter=3, random_state=settings.seed
    )
    result_VE = left_VE * np.sqrt(strength_E)
    lengths_V1 = np.linalg.norm(result_VE, axis=1, keepdims=True)
    result_VE *= settings.embedding_size * np.sqrt(width) / np.maximum(lengths_V1, 1e-6)
    result_VE[PADDING] = 0
    return np.ascontiguousarray(result_VE, dtype=np.float32)


def _count(split: Split, vocabulary: int, near: int) -> sparse.csr_matrix:
    """Count the pairs of words that stand within the window of each other in one text."""
    ids = np.asarray(split.ids[: split.offsets[-1]], dtype=np.int64)
    text = np.repeat(np.arange(len(split)), split.lengths_N)
    total = sparse.csr_matrix((vocabulary, vocabulary), dtype=np.float32)
    for distance in range(1, near + 1):
        together = text[distance:] == text[:-distance]
        first, second = ids[:-distance][together], ids[distance:][together]
        ones = np.ones(len(first), np.float32)
        total += sparse.coo_matrix((ones, (first, second)), shape=(vocabulary, vocabulary)).tocsr()
    return sparse.csr_matrix(total + total.T)
