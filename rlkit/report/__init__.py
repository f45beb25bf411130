"""Pictures of what an agent found, and one self-contained HTML page of them."""
