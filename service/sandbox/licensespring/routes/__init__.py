"""The HTTP surface: thin handlers over the operations."""
