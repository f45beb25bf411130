"""TokenEnv: what a step does, its spaces, small token worlds as MDPs, and agents of every kind that solve them."""

import itertools

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import rlkit
from rlkit.sample import tasks
from rlkit.sample.text.problem import Question, Turn
from rlkit.sample.token_env import TokenEnv
from rlkit.sample.token_tree import TokenTree, enumerate_tokens
from rlkit.sample.tokenizers import Letters

WORLD = {"task": "copying", "letters": "ab", "longest": 2, "limit": 3}


class Talk:
    """Says a number; whoever answers with the same one is told the next, three turns long."""

    def start(self, rng):
        return _Talk(int(rng.integers(3)))


class _Talk:
    gold = None

    def __init__(self, number):
        self.number, self.turns, self.prompt = number, 0, f"{number}:"

    def answer(self, completion):
        self.turns += 1
        reward = float(completion == str(self.number))
        self.number = (self.number + 1) % 3
        return Turn(reward, f"{self.number}:" if self.turns < 3 else None)


def written(env, ids, seed=0):
    """Each step of writing these tokens: (reward, terminated, truncated)."""
    env.reset(seed=seed)
    return [env.step(token)[1:4] for token in ids]


@pytest.mark.parametrize("observation", ["prefix", "index"])
def test_gymnasium_finds_no_fault(observation):
    check_env(gym.make("TokenEnv-v0", observation=observation, **WORLD).unwrapped, skip_render_check=True)
    check_env(gym.make("TokenEnv-v0").unwrapped, skip_render_check=True)
    check_env(gym.make("TokenEnv-v0", task="addition", template="r1", limit=2, render_mode="ansi").unwrapped)


def test_an_episode():
    env = gym.make("TokenEnv-v0", render_mode="ansi", **WORLD)
    tokenizer = env.unwrapped.tokenizer
    assert tokenizer.letters == "=ab"
    obs, info = env.reset(seed=10)
    assert info == {"prompt": "aa=", "gold": "aa"}
    assert env.observation_space == gym.spaces.MultiDiscrete([5] * 6)
    assert obs.tolist() == [1, 1, 0, 4, 4, 4]
    obs, *rest = env.step(1)
    assert obs.tolist() == [1, 1, 0, 1, 4, 4]
    assert rest == [0.0, False, False, {}]
    env.step(1)
    assert env.render() == "aa=aa"
    obs, *rest = env.step(tokenizer.eos)
    assert obs.tolist() == [1, 1, 0, 1, 1, 3]
    assert rest == [1.0, True, False, {"completion": "aa", "scored": True}]
    with pytest.raises(ValueError, match="the episode is over; call reset"):
        env.step(1)


def test_the_limit_truncates_and_the_answer_counts_as_it_stands():
    task = tasks.make("copying", letters="ab", shortest=2, longest=2)
    env = TokenEnv(task, limit=2)
    start = env.reset(seed=0)[1]
    gold = env.tokenizer.encode(start["gold"])
    assert written(env, gold) == [(0.0, False, False), (1.0, False, True)]
    assert written(TokenEnv(task, limit=2, cut="terminated"), gold) == [(0.0, False, False), (1.0, True, False)]
    assert written(TokenEnv(task, limit=3), [*gold, env.tokenizer.eos])[-1] == (1.0, True, False)
    assert written(TokenEnv(task, limit=3), [*gold, 0])[-1] == (0.0, False, True)


def test_rewards_by_the_letter():
    env = TokenEnv(tasks.make("copying", letters="ab", shortest=3, longest=3, dense=True), limit=4)
    gold = env.tokenizer.encode(env.reset(seed=0)[1]["gold"])
    assert [reward for reward, *_ in written(env, [*gold, env.tokenizer.eos])] == [0.25] * 4
    wrong = 3 - gold[1]
    assert [reward for reward, *_ in written(env, [gold[0], wrong, gold[2], env.tokenizer.eos])] == [
        0.25,
        0.0,
        0.0,
        0.0,
    ]


def test_long_answers_are_punished_as_dapo_does():
    env = TokenEnv(tasks.make("copying", letters="a", longest=1), limit=4, overlong=2)
    a, eos = env.tokenizer.encode("a")[0], env.tokenizer.eos
    assert [written(env, [*[a] * size, eos])[-1][0] for size in (0, 1, 2)] == [0.0, 1.0, -0.5]
    assert written(env, [a] * 4)[-1] == (-1.0, False, True)


def test_a_talk_goes_on_after_each_answer():
    env = TokenEnv(Talk(), "012:", limit=2, context=30)
    _, info = env.reset(seed=0)
    first = int(info["prompt"][0])
    eos = env.tokenizer.eos
    steps = [env.step(token) for number in range(3) for token in ((first + number) % 3, eos)]
    assert [step[1] for step in steps] == [0.0, 1.0] * 3
    assert [step[2] for step in steps] == [False] * 5 + [True]
    assert env.tokenizer.decode(env.ids) == "".join(f"{(first + n) % 3}:{(first + n) % 3}" for n in range(3))
    assert env.ids.count(eos) == 3


def test_a_talk_that_outgrows_the_context_is_truncated():
    env = TokenEnv(Talk(), "012:", limit=2, context=7)  # a second turn needs 2 + 2 + 2 tokens, the third 4 more
    env.reset(seed=0)
    assert [env.step(env.tokenizer.eos)[2:4] for _ in range(2)] == [(False, False), (False, True)]


def test_what_nobody_can_score_counts_as_nothing_and_is_told():
    for unknown in (None, float("nan")):
        env = TokenEnv(_Asking(lambda _, unknown=unknown: unknown), "a", limit=2, context=9)
        env.reset(seed=0)
        _, reward, terminated, _, info = env.step(env.tokenizer.eos)
        assert (reward, terminated, info["scored"]) == (0.0, True, False)


def test_a_task_that_fails_is_told_with_what_it_failed_on():
    def fail(_text):
        return 1 / 0

    env = TokenEnv(_Asking(fail), "a", limit=2, context=9)
    env.reset(seed=0)
    with pytest.raises(
        ValueError, match="the task raised ZeroDivisionError: division by zero; on the answer '' to 'aa'"
    ):
        env.step(env.tokenizer.eos)
    env = TokenEnv(_Asking(lambda _: float("inf")), "a", limit=2, context=9)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="the task's reward is inf; it must be finite; on the answer '' to 'aa'"):
        env.step(env.tokenizer.eos)


class _Asking:
    def __init__(self, score):
        self.score = score

    def start(self, _rng):
        return Question("aa", None, self.score)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"limit": 0}, "limit is 0"),
        ({"observation": "text"}, "observation is 'text'"),
        ({"cut": "never"}, "cut is 'never'"),
        ({"overlong": 9}, "limit is 4 and overlong 9"),
        ({"render_mode": "human"}, "render_mode is 'human'"),
        ({"task": Talk()}, "Talk has no list of its problems to find the letters in; give a tokenizer"),
        ({"task": Talk(), "tokenizer": "012:"}, "Talk has no list of its problems to find the longest prompt in"),
        (
            {"task": Talk(), "tokenizer": "012:", "observation": "index"},
            "Talk has no list of its problems; only a task",
        ),
        ({"task": Talk(), "digits": 2}, "digits: arguments are for a task that is named"),
        ({"limit": 30, "observation": "index"}, "states; at most .* can be enumerated"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        TokenEnv(**arguments)


def test_a_prompt_that_does_not_fit_is_named():
    with pytest.raises(ValueError, match="the prompt 'aa=' has 3 tokens, and 3 may follow; the context is 5"):
        TokenEnv("copying", limit=3, context=5, letters="a", shortest=2, longest=2).reset(seed=0)
    with pytest.raises(ValueError, match=r"action is 9; tokens are 0 \.\. 3"):
        written(gym.make("TokenEnv-v0", **WORLD).unwrapped, [9])


def test_the_tree_numbers_every_prefix_once():
    tree = TokenTree(tasks.make("copying", letters="ab", longest=2), Letters("ab="), 3)
    assert tree.nodes == 1 + 3 + 9
    assert tree.n_states == 6 * 13 + 1
    for state in range(tree.n_states - 1):
        assert tree.state(state // tree.nodes, tree.answer(state)) == state
    assert tree.state(2, [0, 1, 2]) == tree.state(2, [3]) == tree.n_states - 1
    assert tree.prefix(tree.state(2, [0, 1])) == [*Letters("ab=").encode(tree.problems[2].prompt), 0, 1]


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("overlong", [0, 2])
def test_the_model_is_what_stepping_does(dense, overlong):
    """Every sequence of tokens in every problem: rewards, flags and observations of `step` are those of the arrays."""
    env = TokenEnv("copying", limit=3, observation="index", letters="ab", longest=2, dense=dense, overlong=overlong)
    mdp, seen = rlkit.from_env(env), set()
    for seed in range(40):
        start, _ = env.reset(seed=seed)
        if start in seen:
            continue
        seen.add(start)
        for ids in itertools.product(range(env.tokenizer.size), repeat=3):
            state, _ = env.reset(seed=seed)
            for token in ids:
                row = state * mdp.n_actions + token
                state, reward, terminated, truncated, _ = env.step(token)
                assert (state, reward) == (mdp.next_state[row], mdp.reward[row])
                assert (terminated or truncated) == mdp.terminated[row]
                if terminated or truncated:
                    assert truncated == (len(env._turn) == 3 and token != env.tokenizer.eos)
                    break
    assert len(seen) == 6
    np.testing.assert_allclose(np.diff(mdp.start_cdf, prepend=0)[sorted(seen)], 1 / 6)


def test_the_best_policy_is_known_exactly():
    mdp = rlkit.from_env(gym.make("TokenEnv-v0", observation="index", **WORLD))
    plan = rlkit.make("policy_iteration", mdp, gamma=1.0)
    list(plan.updates(100))
    assert rlkit.exact.objective(mdp, np.eye(mdp.n_actions)[plan.policy], 1.0) == pytest.approx(1.0)
    uniform = np.full((mdp.n_states, mdp.n_actions), 1 / 4)
    # words of one letter need 2 tokens of 4 each, the four words of two need 3; there are two and four of them
    assert rlkit.exact.objective(mdp, uniform, 1.0) == pytest.approx((2 / 4**2 + 4 / 4**3) / 6)
    assert enumerate_tokens(tasks.make("copying", letters="ab", longest=2), Letters("=ab"), 3).n_states == mdp.n_states


def test_q_learning_is_the_same_stepped_and_compiled_and_finds_the_best_policy():
    env = gym.make("TokenEnv-v0", observation="index", **WORLD)
    options = {"gamma": 1.0, "alpha": 0.5, "epsilon": 0.5, "seed": 0}
    agent = rlkit.make("q_learning", env, **options)
    reports = list(agent.updates(60_000))
    assert reports[-1].scalars["optimal"] == 1.0
    assert reports[-1].scalars["regret"] == pytest.approx(0.0, abs=1e-9)
    stepped = rlkit.make("q_learning", _Opaque(env), **options)
    list(stepped.updates(3_000))
    again = rlkit.make("q_learning", env, **options)
    list(again.updates(3_000))
    np.testing.assert_array_equal(stepped.values, again.values)


class _Opaque(gym.Wrapper):
    """Hides the model."""


def test_ppo_learns_a_token_world():
    env = gym.make("TokenEnv-v0", cut="terminated", dense=True, **WORLD)
    agent = rlkit.make(
        "ppo", env, gamma=1.0, lr=3e-3, segment=16, envs=16, batch=64, epochs=4, entropy=0.03, threads=1, seed=0
    )
    list(agent.updates(8_000))
    assert rlkit.evaluate(agent, env, 100).mean >= 0.95
