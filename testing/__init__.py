"""Helpers for the tests: inputs, tiny images, the loader of recorded values. Not shipped."""
