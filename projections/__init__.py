"""Rows derived from events, and the pushes that follow from them."""
