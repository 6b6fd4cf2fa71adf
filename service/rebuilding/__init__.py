"""A rebuild as a process runs it: on every core, with what may fail, and what was there before."""
