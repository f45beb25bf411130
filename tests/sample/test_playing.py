"""EnvTask: environments played in words; the gold answers of a game earn what dynamic programming says they can."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit.sample import tasks
from rlkit.sample.text.ways import Ways

GRID = "S...\n.X..\n....\n...T"


def played(task, seed, choose):
    problem = task.start(np.random.default_rng(seed))
    talk, total, prompt = [problem.prompt], 0.0, problem.prompt
    while prompt is not None:
        words = choose(problem)
        turn = problem.answer(words)
        total += turn.reward
        prompt = turn.reply
        talk += [words, prompt]
    return total, talk[:-1]


def grid(**options):
    return tasks.make(
        "env:GridWorld-v0",
        layout=GRID,
        target="terminal",
        actions=("north", "east", "south", "west", "stay"),
        **options,
    )


def test_a_game_in_words():
    task = grid(view="coordinates", turns=8, rules="Go to row 3, column 3: {actions}?")
    total, talk = played(task, 0, lambda problem: problem.gold)
    assert total == 1.0
    assert talk[:4] == [
        "Go to row 3, column 3: north, east, south, west, stay?\nrow 0, column 0\n",
        "east",
        "\nrow 0, column 1\n",
        "east",
    ]
    assert len(talk) == 12  # six moves, each after what was shown


def test_what_the_grid_world_draws_is_shown_without_colours():
    _, talk = played(grid(turns=2), 0, lambda _: "stay")
    assert talk[0].startswith("You walk on a grid. Answer with one word: north, east, south, west, stay.\n┌")
    assert "●" in talk[0]
    assert "\x1b" not in "".join(talk)
    assert talk[1] == "stay"
    assert "●" in talk[2]


def test_an_answer_without_an_action_costs_a_turn_and_nothing_moves():
    task = grid(view="coordinates", turns=3, invalid=-0.5)
    problem = task.start(np.random.default_rng(0))
    turn = problem.answer("I would rather not")
    assert turn.reward == -0.5
    assert turn.reply == "\nThere is no such action; answer with one word: north, east, south, west, stay.\n"
    assert problem.answer("east").reply == "\nrow 0, column 1\n"
    assert problem.answer("east").reply is None
    with pytest.raises(ValueError, match="the episode is over"):
        problem.answer("east")
    assert problem.gold is None


@pytest.mark.parametrize(
    ("words", "action"),
    [
        ("north", 0),
        ("East.", 1),
        ("north? no, SOUTH", 2),
        ("<think>north</think><answer>west</answer> stay", 3),
        ("northeast", None),
        ("", None),
        ("1", None),
    ],
)
def test_the_last_action_named_is_taken(words, action):
    assert grid().action(words) == action


@pytest.mark.parametrize(
    ("env", "options", "turns"),
    [
        ("GridWorld-v0", {}, 9),
        ("FrozenLake-v1", {"is_slippery": False}, 8),
        ("CliffWalking-v1", {}, 15),
        ("Taxi-v4", {}, 20),
    ],
)
def test_gold_answers_earn_what_can_be_earned(env, options, turns):
    task = tasks.make(f"env:{env}", turns=turns, view="observation", **options)
    world = gym.make(env, **options)
    ways = Ways(rlkit.from_env(world), turns)
    for seed in range(10):
        first = np.random.default_rng(seed)
        state, _ = world.reset(seed=int(first.integers(2**31)))
        total, _ = played(task, seed, lambda problem: problem.gold)
        assert total == pytest.approx(ways.value(state, turns))


def test_ways_are_those_of_backward_induction():
    mdp = rlkit.from_env(gym.make("FrozenLake-v1"))
    ways = Ways(mdp, 30)
    agent = rlkit.make("backward_induction", mdp, horizon=30)
    list(agent.updates(30))
    np.testing.assert_allclose(
        [[ways.value(s, left) for s in range(16)] for left in range(30, 0, -1)], agent.stage_values[:30]
    )


def test_ways_put_nothing_off():
    """In a corridor that pays 1 at its end, with 9 turns left any first step earns 1 later; the right one earns it soonest."""
    mdp = rlkit.from_env(gym.make("GridWorld-v0", layout=["T..S"], target="terminal", r_boundary=0.0))
    left = 3  # of up, right, down, left, stay
    assert [Ways(mdp, 9).best(3, turns) for turns in (3, 4, 9)] == [left] * 3


def test_worlds_without_a_model_have_no_gold():
    task = tasks.make(
        "env:CartPole-v1", view="observation", actions=("left", "right"), rules="Balance: {actions}.", turns=3
    )
    problem = task.start(np.random.default_rng(0))
    assert problem.gold is None
    assert problem.prompt.startswith("Balance: left, right.\n[")
    assert problem.answer("left").reward == 1.0


def test_equal_random_numbers_give_the_same_game():
    task = tasks.make("env:FrozenLake-v1", view="coordinates", turns=6)
    games = [played(task, 3, lambda _: "right") for _ in range(2)]
    assert games[0] == games[1]


def test_in_a_chat_the_next_turn_follows_the_end_of_the_last():
    task = grid(view="coordinates", template="chat")
    problem = task.start(np.random.default_rng(0))
    assert problem.prompt.endswith("row 0, column 0\n<|im_end|>\n<|im_start|>assistant\n")
    assert problem.answer("east").reply == "\n<|im_start|>user\nrow 0, column 1\n<|im_end|>\n<|im_start|>assistant\n"
