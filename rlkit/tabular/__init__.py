"""Dynamic programming and learning on finite MDPs: formulas as compiled kernels on arrays."""
