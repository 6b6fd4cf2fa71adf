"""Hypothesis strategies that several folders of tests share."""
