"""Language-model algorithms held against the truth: token worlds whose answers can all be listed, and expectations over all batches."""
