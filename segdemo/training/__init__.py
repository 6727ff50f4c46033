"""Training and measuring the networks."""
