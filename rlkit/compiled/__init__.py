"""The fast twin of agents with small networks: forward and backward pass, optimizer and world in one compiled loop."""
