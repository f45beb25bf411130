"""An agent's name is that of its file, whoever asks."""

import gymnasium as gym

import tests.one_state  # noqa: F401 - registers OneState-v0
from rlkit import agents
from rlkit.agent import name_of
from rlkit.sample.config import Studies
from tests.agents.studying import corpus
from tests.agents.test_token_ppo import speaking
from tests.probes import book_2x2


def test_an_agent_is_named_after_its_file():
    for name in agents.names():
        if issubclass(agents.load(name).Config, Studies):
            assert name_of(agents.make(name, corpus(name))) == name
            continue
        if name == "token_ppo":
            assert name_of(agents.make(name, speaking())) == name
            continue
        deep = hasattr(agents.load(name).Config, "device")
        world = gym.make("OneState-v0") if deep or name.endswith("_bandit") else book_2x2()
        world = gym.make("Pendulum-v1") if name in {"ddpg", "td3"} else world
        assert name_of(agents.make(name, world)) == name
