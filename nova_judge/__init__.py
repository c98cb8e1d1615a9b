"""Nova Judge: which of two models answers better, with numbers that hold."""

__version__ = "0.1.0"
