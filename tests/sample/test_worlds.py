"""Worlds against plain loops over Gymnasium's environments; exact return into the middle of episodes; what is refused."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import NormalizeObservation, TimeLimit, TransformReward

import rlkit
from rlkit.policies.heads import for_env
from rlkit.run.checkpoint import read, save
from rlkit.sample.copies import Reseeded, duplicate, seeds_of
from rlkit.sample.worlds import Worlds
from rlkit.tabular.random import env_seed
from tests.sample.small_worlds import Counter, Faulty, Switches, Wheel

N = 3
KINDS = {
    "native": ("CartPole-v1", "auto"),
    "native, continuous": ("Pendulum-v1", "native"),
    "native grid": ("GridWorld-Cliff-v0", "auto"),
    "sync": ("CartPole-v1", "sync"),
    "sync, slippery": ("FrozenLake-v1", "auto"),
    "sync, masks and dicts": (Counter, "auto"),
    "sync, images": (Switches(), "auto"),
    "sync, real numbers": (TimeLimit(Wheel(), 7), "auto"),
    "async": (Counter, "async"),
    "async, real numbers": (TimeLimit(Wheel(), 7), "async"),
}


def chosen(worlds, rng):
    """Actions as a policy gives them."""
    space, n = worlds.action_space, worlds.count
    if isinstance(space, gym.spaces.Box):
        return 3 * rng.standard_normal((n, *space.shape))
    if isinstance(space, gym.spaces.MultiDiscrete):
        return rng.integers(0, space.nvec, (n, len(space.nvec)))
    return rng.integers(0, space.n, n)


def played(worlds, rng, steps=40):
    """Everything that is seen in so many steps."""
    seen = []
    for _ in range(steps):
        step = worlds.step(chosen(worlds, rng))
        seen += [*step, worlds.obs, np.zeros(0) if worlds.allowed is None else worlds.allowed]
    return [np.array(array) for array in seen]


def equal(left, right):
    assert len(left) == len(right)
    for a, b in zip(left, right, strict=True):
        assert a.dtype == b.dtype
        assert np.array_equal(a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_worlds_come_back_into_the_middle_of_episodes(kind):
    source, vector = KINDS[kind]
    worlds = Worlds(source, N, seed=5, vector=vector)
    assert kind.startswith(worlds.kind)
    played(worlds, np.random.default_rng(0), 23)
    state = worlds.state_dict()
    ahead, finished = played(worlds, np.random.default_rng(1)), worlds.finished
    other = Worlds(source, N, seed=6, vector=vector)
    other.load_state_dict(state)
    equal(played(other, np.random.default_rng(1)), ahead)
    assert other.finished == finished
    for one in (worlds, other):
        one.close()


def test_the_state_fits_into_a_checkpoint(tmp_path):
    class Held:
        def __init__(self, worlds):
            self.config, self.worlds = rlkit.make("q_learning", "FrozenLake-v1").config, worlds

        def state_dict(self):
            return self.worlds.state_dict()

    worlds, other = (Worlds(Counter, N, seed) for seed in (1, 2))
    played(worlds, np.random.default_rng(0))
    save(Held(worlds), tmp_path / "worlds.npz")
    other.load_state_dict(read(tmp_path / "worlds.npz").state)
    equal(played(other, np.random.default_rng(1)), played(worlds, np.random.default_rng(1)))


@pytest.mark.parametrize("source", [Counter, Wheel, Switches, lambda: gym.make("CartPole-v1")])
def test_a_loop_gives_what_sync_vector_env_gives(source):
    worlds = Worlds(source, N, seed=3, vector="sync")
    make = [lambda s=int(s): Reseeded(source(), s) for s in seeds_of(3, 0, N)]
    theirs = SyncVectorEnv(make, autoreset_mode=AutoresetMode.SAME_STEP)
    obs, _ = theirs.reset()
    rng = np.random.default_rng(0)
    assert np.array_equal(worlds.obs, worlds.senses.pack(obs))
    for _ in range(60):
        actions = chosen(worlds, rng)
        step = worlds.step(actions)
        obs, rewards, terminated, truncated, infos = theirs.step(for_env(theirs.single_action_space, actions))
        equal([worlds.obs, *step[1:]], [worlds.senses.pack(obs), rewards, terminated, truncated])
        if "action_mask" in infos and source is Counter:
            assert np.array_equal(worlds.allowed, infos["action_mask"].astype(bool))
        for i in np.flatnonzero(~(terminated | truncated)):
            assert np.array_equal(step.next_obs[i], worlds.obs[i])


def test_successors_are_those_before_the_reset():
    worlds = Worlds(Counter, N, seed=0)
    times = []
    for _ in range(30):
        before = worlds.obs[:, :2] if worlds.senses.parts[0].shape == (2,) else worlds.obs[:, -2:]
        step = worlds.step(np.ones(N, np.int64))
        after = step.next_obs[:, :2] if worlds.senses.parts[0].shape == (2,) else step.next_obs[:, -2:]
        times.append((before.copy(), after.copy(), step.terminated))
    for before, after, _ in times:
        assert np.array_equal(after[:, 0], before[:, 0] + 1)
        assert np.array_equal(after[:, 1], before[:, 1])
    assert any(ended.any() for _, _, ended in times)


@pytest.mark.parametrize("name", ["CartPole-v1", "MountainCar-v0", "Pendulum-v1", "GridWorld-Windy-v0"])
def test_a_native_batch_gives_the_numbers_of_single_environments(name):
    limit = 30
    worlds = Worlds(gym.make(name, max_episode_steps=limit), N, seed=3)
    assert worlds.kind == "native"
    envs = [gym.make(name, max_episode_steps=limit) for _ in range(N)]
    observations = [env.reset(seed=int(s))[0] for env, s in zip(envs, seeds_of(3, 0, N), strict=True)]
    rng = np.random.default_rng(0)
    returns, lengths, finished = [0.0] * N, [0] * N, []
    for _ in range(100):
        equal([worlds.obs], [worlds.senses.pack(observations)])
        actions = chosen(worlds, rng)
        step = worlds.step(actions)
        for i, env in enumerate(envs):
            obs, reward, terminated, truncated, _ = env.step(for_env(env.action_space, actions)[i])
            assert np.array_equal(step.next_obs[i], worlds.senses.pack(obs)[0])
            assert (reward, terminated, truncated) == (step.rewards[i], step.terminated[i], step.truncated[i])
            returns[i], lengths[i] = returns[i] + reward, lengths[i] + 1
            if terminated or truncated:
                finished.append((returns[i], lengths[i]))
                returns[i], lengths[i] = 0.0, 0
                obs, _ = env.reset()
            observations[i] = obs
    assert worlds.finished == finished
    assert worlds.finished == []


def test_processes_give_what_a_loop_gives():
    loop, processes = (Worlds(Counter, N, seed=4, vector=vector) for vector in ("sync", "async"))
    equal(played(loop, np.random.default_rng(0)), played(processes, np.random.default_rng(0)))
    assert loop.finished == processes.finished
    processes.close()


def test_copies_that_begin_with_one_seed_begin_alike_and_resting_ones_wait():
    for source in ("CartPole-v1", Counter):
        worlds = Worlds(source, 4, seed=0)
        worlds.restart([7, 7, 9, 9])
        assert np.array_equal(worlds.obs[0], worlds.obs[1])
        assert not np.array_equal(worlds.obs[0], worlds.obs[2])
    seen = worlds.obs.copy()
    for _ in range(20):
        step = worlds.step(np.ones(4, np.int64), resting=np.array([False, True, False, True]))
    assert np.array_equal(worlds.obs[1], seen[1])
    assert step.rewards[3] == 0
    assert all(length >= 2 for _, length in worlds.finished)


def test_the_seed_of_the_first_copy_is_that_of_tabular_agents():
    assert seeds_of(11, 0, 4)[0] == env_seed(11)
    assert np.array_equal(seeds_of(11, 2, 2), seeds_of(11, 0, 4)[2:])


def test_native_batches_are_for_environments_as_they_were_made():
    def kind(env):
        return Worlds(env, 2, 0).kind

    assert kind("CartPole-v1") == kind(gym.make("CartPole-v1", sutton_barto_reward=True)) == "native"
    assert kind(gym.make("GridWorld-v0", slip=0.2)) == "native"
    assert kind(TransformReward(gym.make("CartPole-v1"), lambda r: -r)) == "sync"
    heavy = gym.make("CartPole-v1")
    heavy.unwrapped.masspole = 0.5
    assert kind(heavy) == "sync"
    with pytest.raises(ValueError, match="vector is 'native', but masspole of CartPole-v1 was changed"):
        Worlds(heavy, 2, 0, "native")
    with pytest.raises(ValueError, match="vector is 'native', but there is no compiled batch of FrozenLake-v1"):
        Worlds("FrozenLake-v1", 2, 0, "native")
    used = gym.make("CartPole-v1")
    used.reset()
    used.step(1)
    assert kind(used) == "native"


def test_wrappers_are_kept_and_the_environment_that_was_given_is_left_alone():
    env = TransformReward(gym.make("CartPole-v1"), lambda r: -2 * r)
    env.reset(seed=1)
    state = env.unwrapped.state
    worlds = Worlds(env, 2, 0)
    assert (worlds.step(np.zeros(2, np.int64)).rewards == -2).all()
    assert env.unwrapped.state is state


def test_what_cannot_be_copied_is_made_anew():
    env = gym.make("FrozenLake-v1", map_name="8x8", max_episode_steps=9)
    env.unwrapped.window = open("/dev/null")  # noqa: SIM115, PTH123 - something that refuses to be copied
    with env.unwrapped.window:
        assert duplicate(env).unwrapped.observation_space.n == 64
        env = Counter()
        env.window = open("/dev/null")  # noqa: SIM115, PTH123
        with env.window, pytest.raises(ValueError, match=r"Counter cannot be copied .* give a function that makes it"):
            Worlds(env, 2, 0)


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("reward", "Faulty gave the reward inf in environment 0 at step 3"),
        ("obs", "observation of environment 0 of Faulty at step 3 is nan"),
        ("last obs", "observation of environment 0 of Faulty at step 3 is nan"),
        ("late mask", "Faulty gave an action_mask at step 3, but none when"),
    ],
)
def test_numbers_gone_wrong_are_named(fault, complaint):
    worlds = Worlds(lambda: Faulty(fault), 2, 0)
    with pytest.raises(ValueError, match=complaint):
        played(worlds, np.random.default_rng(0), 3)


def test_what_outlives_an_episode_is_noticed():
    worlds, other = (Worlds(NormalizeObservation(Wheel()), 1, seed) for seed in (0, 1))
    rng = np.random.default_rng(0)
    played(worlds, rng, 5)
    worlds.restart([3])
    played(worlds, rng, 5)
    with pytest.raises(ValueError, match="environment 0 of Wheel does not come back to where it was"):
        other.load_state_dict(worlds.state_dict())


def test_states_of_other_worlds_are_refused():
    with pytest.raises(ValueError, match="the state is of 3 environments, sync; these are 2, sync"):
        Worlds(Counter, 2, 0).load_state_dict(Worlds(Counter, 3, 0).state_dict())
    with pytest.raises(ValueError, match="the state is of 2 environments, native; these are 2, sync"):
        Worlds("CartPole-v1", 2, 0, "sync").load_state_dict(Worlds("CartPole-v1", 2, 0).state_dict())


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (3, "the environment is 3; give a Gymnasium environment"),
        (gym.make_vec("CartPole-v1", 2), "a vector of environments"),
    ],
)
def test_what_is_no_environment_is_refused(source, complaint):
    with pytest.raises(ValueError, match=complaint):
        Worlds(source, 2, 0)
