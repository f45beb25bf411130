"""Recipes: pipelines of agents that end in a better language model, each in one file to be read from top to bottom."""
