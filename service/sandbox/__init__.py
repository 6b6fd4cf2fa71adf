"""Stand-ins for the outside world, to try and test Tenure without accounts."""
