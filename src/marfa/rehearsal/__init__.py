"""AWS on this machine: what a deployment and a job meet there, as processes and addresses here."""
