"""Makes the first files of a new part of the repository."""
