"""Long tasks, page by page. See docs/administration.md, "How a long task goes on"."""
