"""The version of the package, its one place."""

VERSION = "0.2.0"
