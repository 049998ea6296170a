"""Where text comes from, and where it is kept once prepared."""
