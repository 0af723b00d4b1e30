"""The services that certificates need: registries, signing, templates, files; names of contents and of users."""
