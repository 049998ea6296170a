"""How good a model is, beside what is easily had: figures, baselines, charts, the report."""
