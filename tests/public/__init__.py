"""What the public sees of the project: documents, package, lock, names of tasks."""
