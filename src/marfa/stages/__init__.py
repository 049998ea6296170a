"""The stages: one file, one public function, one command each; they meet through files on disk."""
