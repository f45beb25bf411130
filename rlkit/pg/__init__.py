"""The policy-gradient core: pure functions on [B, T] tensors, the same for a grid, CartPole and a language model.

Along time (`returns`): `discounted_returns`, `n_step_returns`, `lambda_returns`, `gae`, `vtrace`, `following`. Across samples
(`baselines`): `group_advantages`, `alike`, `leave_one_out`, `optimal_baseline`, `softmax_squared_norms`, `per_step`. Losses (`losses`):
`reinforce`, `importance_weighted`, `clipped_surrogate`, `dual_clip`, `cispo`, `gspo`, `sequence_ratio`, `opmd`, `value_loss`,
`clipped_value_loss`, `entropy`. Divergence from a reference (`kl`): `k1`, `k2`, `k3`, `k2_sequence`, `ratio_k3`, `categorical`. All of
these by the names of algorithms (`family`): `advantage`, `surrogate`. A sampler that differs (`correction`): `importance`, `correct`. From [B, T] to a scalar
(`reduce`): `count`, `aggregate`, `shares`, `weighted_sum`, `masked_sum`, `masked_mean`, `whiten`. Action values (`q_targets`): `td_target`, `project`, `smoothed`,
`soft_value`, and the losses `squared_loss`, `huber_loss`, `categorical_loss`, `quantile_loss`.
Answers that were preferred (`preferences`): `bradley_terry`, `dpo`, `robust_dpo`, `ipo`, `hinge`, `kto`, `simpo`, `orpo`,
`negative_log_likelihood`. A teacher (`distillation`): `distil`. What to watch (`measures`): `movement`, `mismatch`.
"""
