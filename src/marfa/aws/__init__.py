"""Amazon's cloud: what is made there, what it costs, and how it is taken down."""
