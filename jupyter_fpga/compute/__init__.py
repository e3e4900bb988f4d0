"""Sandboxed, cached and bounded execution of build steps."""
