"""One handler on all hosts: each answers as `marfa serve` does, byte for byte, errors included."""

import pytest
from tests.peers import asked
from tests.peers.comparison import DIFFERENT, EQUAL, OWN, UNASKED, compare, is_ours
from tests.peers.hosts import HOSTS

from marfa import bundle, loading
from marfa.container.contract import DEFAULT_LIMITS


@pytest.fixture(
    scope="module", params=["model_path", "writer_path"], ids=["classifier", "generator"]
)
def packed(request):
    """A model.tar.gz as it was packaged, and its model on the reference engine."""
    path = request.getfixturevalue(request.param)
    return path, loading.of(bundle.load(path), engine="numpy")


@pytest.mark.parametrize("name", HOSTS)
def test_a_host_answers_everything_as_the_contract_byte_for_byte(name, packed, tmp_path):
    host, (path, model) = HOSTS[name], packed
    if why := host.skip():
        pytest.skip(why)
    with host.open(path, tmp_path) as ask:
        rows = compare(model, asked.of(model), host, ask)
    assert [row.told for row in rows if row.verdict == DIFFERENT] == []
    # who says beforehand that an answer will be another is held to that as well
    assert [row.told for row in rows if row.why and row.verdict == EQUAL] == []
    assert [row.told for row in rows if row.verdict == OWN and is_ours(row.found)] == []
    counted = {verdict: sum(row.verdict == verdict for row in rows) for verdict in (EQUAL, OWN)}
    assert counted[EQUAL] > len([row for row in rows if row.verdict != UNASKED]) - 4
    assert DEFAULT_LIMITS.max_body_bytes == 1 << 20  # what `asked` is made for
