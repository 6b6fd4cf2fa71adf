"""What subscriptions and licenses mean: pure values, no I/O."""
