"""Policies as neural networks: from any observation space to any action space; torch only.

`senses` and `encoders` take observations in, `networks` has what nets are made of, `heads` turns numbers into distributions
over actions, `actor_critic` puts them together, `state` makes arrays for checkpoints of them, `machine` picks device and threads.
"""
