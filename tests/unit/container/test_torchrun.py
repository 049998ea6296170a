"""Which machines and processes train together, and how torchrun is told."""

from pathlib import Path

import pytest

from marfa.console import Silence
from marfa.container.torchrun import Crew, crew, launch
from marfa.errors import DataError, NetworkError


def test_one_machine_without_a_gpu_is_one_process():
    assert crew({}).size == 1


def test_the_hosts_are_taken_in_order_whoever_lists_them():
    found = crew({"hosts": ["algo-2", "algo-1"], "current_host": "algo-2"})
    assert (found.hosts, found.rank, found.size) == (("algo-1", "algo-2"), 1, 2)
    assert found.arguments(Path("entry.py"), ["--epochs", "2"]) == [
        *("--nnodes=2", "--node-rank=1", "--nproc-per-node=1"),
        *("--master-addr=algo-1", "--master-port=7777", "entry.py", "--epochs", "2"),
    ]


def test_several_gpus_are_several_processes():
    assert Crew(("algo-1",), 0, 4).size == 4


def test_a_machine_that_is_none_of_them_is_told():
    with pytest.raises(DataError, match="none of algo-1"):
        crew({"hosts": ["algo-1"], "current_host": "algo-9"})


def test_a_name_that_stays_unknown_is_told_after_a_while():
    waited = []
    with pytest.raises(NetworkError, match="not known after 300 s"):
        launch(Crew(("no host", "b"), 0, 1), [], Silence(), waited.append)
    assert sum(waited) == 300
