"""A version of the projections made anew beside the one that is read: loaded, compared, and switched to."""
