"""Resumable tasks: long work, page by page. See docs/administration.md, "How a long task goes on".

In reading order: resumable_task, runner, checkpoints.
"""
