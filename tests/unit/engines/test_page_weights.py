"""Weights for the page: exact where they can be, and as coarse as they must be."""

import numpy as np

from marfa.engines import page_weights, rounding


def network(words=20_000, seed=1):
    random = np.random.default_rng(seed)
    table = random.normal(0, 0.3, (words, 4)).astype(np.float32)
    return {
        "embedding.weight": rounding.rounded(table, 7),
        "lstm.0.0.weight_ih_l0": random.normal(0, 0.3, (8, 4)).astype(np.float32),
        "lstm.0.0.bias_ih_l0": random.normal(0, 0.3, 8).astype(np.float32),
    }


def test_the_finest_embeddings_are_those_of_the_bundle():
    weights = network()
    first = page_weights.ladder("classifier", weights)[0]()
    assert np.array_equal(first["embedding.weight"].floats, weights["embedding.weight"])
    assert np.array_equal(first["lstm.0.0.bias_ih_l0"].floats, weights["lstm.0.0.bias_ih_l0"])


def test_common_words_stay_exact_and_steps_double_where_the_rank_quadruples():
    weights = network()
    table = weights["embedding.weight"]
    found = page_weights.ladder("classifier", weights)[2]()["embedding.weight"]
    assert [count for count, _ in found.runs] == [1000, 3000, 12_000, 4000]
    scales = [scale for _, scale in found.runs]
    assert [scale / scales[0] for scale in scales] == [1, 2, 4, 8]
    assert np.array_equal(found.floats[:1000], table[:1000])
    begin = 0
    for count, scale in found.runs:
        part = slice(begin, begin + count)
        assert np.abs(found.floats[part] - table[part]).max() <= scale / 2 * 1.001
        begin += count


def test_a_table_of_32_bits_and_one_of_zeros_are_sent_too():
    weights = network(50)
    random = np.random.default_rng(2)
    weights["embedding.weight"] = random.normal(0, 1, (50, 4)).astype(np.float32)
    (rung,) = page_weights.ladder("classifier", weights)
    largest = np.abs(weights["embedding.weight"]).max()
    assert (
        np.abs(rung()["embedding.weight"].floats - weights["embedding.weight"]).max() < largest / 63
    )
    weights["embedding.weight"] = np.zeros((50, 4), np.float32)
    (rung,) = page_weights.ladder("classifier", weights)
    assert not rung()["embedding.weight"].floats.any()


def test_a_generators_matrices_share_one_step_and_get_coarser():
    random = np.random.default_rng(3)
    weights = {
        name: random.normal(0, 0.2, (16, 4)).astype(np.float32)
        for name in ("lstm.0.weight_hh_l0", "lstm.1.weight_ih_l0", "output.weight")
    }
    errors = []
    for rung in page_weights.ladder("generator", weights):
        made = rung()
        assert made["lstm.0.weight_hh_l0"].runs == made["lstm.1.weight_ih_l0"].runs
        assert np.array_equal(made["output.weight"].numbers.dtype, np.int8)
        name = "lstm.0.weight_hh_l0"
        errors.append(np.abs(made[name].floats - weights[name]).max())
    assert errors[0] < 0.01 < errors[-1]
