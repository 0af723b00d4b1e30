"""The job of docs/adding-a-job.md, in a copy of the checkout."""
