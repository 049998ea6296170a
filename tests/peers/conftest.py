"""What of this folder is no test: programs for other Pythons, and the one that writes the table."""

collect_ignore = ["inside_awscli.py", "inside_toolkit.py", "table.py"]
