"""Policy-gradient estimators held against the exact policy gradient: worlds, episodes, estimators, closed forms, measures."""
