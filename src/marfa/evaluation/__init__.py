"""How good a classifier is, beside what is easily had: figures, baselines, charts, the report."""
