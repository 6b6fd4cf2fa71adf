"""What the commands of `tenure` do; `service/cli.py` declares them and their options."""
