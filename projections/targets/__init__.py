"""License servers: per target what should be called (pure) and the client that calls it."""
