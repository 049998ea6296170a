"""Processes that train together: each takes its rows, and all come to the same."""

import json
import os
import socket
import subprocess
import sys

import pytest
import torch

from marfa.models.team import Team, gathered

SCRIPT = """
import json, sys
import torch
from marfa.models.team import gathered
with gathered() as team:
    torch.manual_seed(team.rank)
    network = torch.nn.Linear(3, 1)
    team.begin_as_first(network)
    rows = torch.arange(15.0).reshape(5, 3)[team.mine]
    if len(rows):
        (network(rows).mean() * len(rows) / 5).backward()
    team.sum_gradients(network)
    whole = team.whole(torch.full((1, len(range(5)[team.mine]), 2), float(team.rank)), 5)
    print(json.dumps({
        "gradient": network.weight.grad.tolist(),
        "weight": network.weight.tolist(),
        "total": team.total(1.0, team.rank),
        "agreed": team.agree(team.rank == 1, False),
        "told": team.told({"epoch": team.rank + 1, "words": "ünï"}),
        "given": [
            [sorted(found[0]), found[0]["a"].tolist(), found[1]] if found else None
            for found in (
                team.given(({"a": torch.full((2,), team.rank)}, {"steps": 3}) if own else None)
                for own in (team.rank == 0, team.rank == 1)
            )
        ],
        "whole": whole[0, :, 0].tolist(),
    }))
"""


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """What three processes have found."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            env={
                **os.environ,
                "RANK": str(rank),
                "WORLD_SIZE": "3",
                "LOCAL_RANK": "0",
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": port,
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(3)
    ]
    return [json.loads(process.communicate(timeout=60)[0]) for process in processes]


def test_the_gradient_is_that_of_the_whole_batch(three):
    rows = torch.arange(15.0).reshape(5, 3)
    assert three[0]["gradient"] == [pytest.approx(rows.mean(0).tolist())]


def test_all_come_to_the_same(three):
    assert three[0] == three[1] == three[2]


def test_what_is_added_agreed_told_and_put_together(three):
    assert three[0]["total"] == [3.0, 3.0]
    assert three[0]["agreed"] == [True, False]
    assert three[0]["told"] == {"epoch": 1, "words": "ünï"}
    assert three[0]["whole"] == [0.0, 1.0, 2.0, 0.0, 1.0]


def test_the_first_one_s_checkpoint_is_everybody_s_and_nobody_else_s_is(three):
    assert three[2]["given"] == [[["a"], [0, 0], {"steps": 3}], None]


def test_a_team_of_one_asks_nobody():
    with gathered((0, 1)) as team:
        tensor = torch.ones(1, 2, 3)
        assert (team.size, team.is_first) == (1, True)
        assert team.whole(tensor, 2) is tensor


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_every_row_is_one_s(size):
    rows = [row for rank in range(size) for row in range(5)[Team(rank, size).mine]]
    assert sorted(rows) == list(range(5))
