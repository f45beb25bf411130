"""An agent's name is that of its file, whoever asks."""

from rlkit import agents
from rlkit.agent import name_of
from tests.probes import book_2x2


def test_an_agent_is_named_after_its_file():
    for name in agents.names():
        assert name_of(agents.make(name, book_2x2())) == name
