"""The registries, the signing service, templates and files of certificates."""
