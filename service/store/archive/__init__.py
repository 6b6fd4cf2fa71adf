"""Archives: what an auditor is given. `verify.py` goes into each, and checks it with nothing of ours installed."""
