"""What the commands of `tenure` do; `service/cli/` declares them and their options."""
