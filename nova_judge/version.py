"""The version of the package, which reports and runs carry."""

__version__ = "0.2.0"
