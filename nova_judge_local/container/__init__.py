"""The stand-in for the Nova evaluation container."""
