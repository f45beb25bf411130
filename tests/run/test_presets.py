"""Presets: what is shipped is true of the agents, what is written is read back, and mistakes are named."""

import dataclasses

import gymnasium as gym
import pytest

from rlkit.agents import load, names
from rlkit.run.presets import Preset, preset, shipped, write_preset

FIELDS = ("alpha", "hidden", "explore", "seeds")


@pytest.mark.parametrize("agent", names())
def test_a_shipped_preset_is_a_configuration(agent):
    config = load(agent).Config
    for name in shipped(agent):
        found = preset(agent, name, [field.name for field in dataclasses.fields(config)])
        made = config(**found.config)
        for key, value in found.config.items():
            assert type(getattr(made, key)) is type(value)
            assert type(getattr(config(), key)) in {type(value), float, str, type(None)}, f"{name}: {key}"
        assert found.steps is None or found.steps > 0


def test_what_is_written_is_read_back(tmp_path):
    path = tmp_path / "best.toml"
    config = {"alpha": 1e-05, "hidden": (64, (2, 3)), "explore": 'say "hi"', "seeds": 3}
    write_preset(path, "My World-v0", "sarsa", 500, {**config, "none": None})
    assert preset("sarsa", str(path), FIELDS) == Preset(config, 500)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[a]\nalfa = 1", "no option 'alfa'"),
        ("[a]\nagent = 'sarsa'", "another agent"),
        ("[a]\n[b]\n", "2 tables"),
        ("alpha = 1", "outside a table"),
        ("[a\n", "not TOML"),
    ],
)
def test_a_bad_file_is_named(tmp_path, text, words):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=words):
        preset("q_learning", str(path), FIELDS)


def test_an_unknown_name_is_answered_with_what_there_is():
    with pytest.raises(ValueError, match="no preset 'CliffWalking'; did you mean CliffWalking-v1"):
        preset("q_learning", "CliffWalking", FIELDS)
    with pytest.raises(ValueError, match="rlkit tune"):
        preset("mc_basic", "CliffWalking-v1", FIELDS)


@pytest.mark.parametrize("agent", ["ppo", "dqn", "sac", "td3"])
def test_deep_agents_are_made_with_their_presets(agent):
    module = load(agent)
    made = 0
    for name in shipped(agent):
        found = preset(agent, name, [field.name for field in dataclasses.fields(module.Config)])
        assert found.steps, f"{name}: for how many steps is it?"
        config = module.Config(**{"horizon": found.steps, **found.config})
        if name in gym.registry and "classic_control" in str(
            gym.spec(name).entry_point
        ):  # which nothing more is needed for
            module.make(gym.make(name), config)
            made += 1
    assert made
