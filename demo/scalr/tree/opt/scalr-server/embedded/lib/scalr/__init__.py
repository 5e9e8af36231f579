"""Scalr Server, small: what the package scalr-server installs."""
