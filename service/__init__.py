"""The process: HTTP, command line, PostgreSQL, settings. The only place that wires things together."""
