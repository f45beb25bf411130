"""Gymnasium's classic control tasks as compiled batches, the same numbers to the last bit."""
