"""A crime, deprivation and target dashboard for UK Community Safety Partnerships."""

from importlib.metadata import version

__version__ = version("cspmap")
