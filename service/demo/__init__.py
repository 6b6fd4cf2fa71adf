"""A demonstration: one vendor's customers at three simulated stores, Tenure, and two license servers' sandboxes."""
