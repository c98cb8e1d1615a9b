"""The models that can be asked: one module per source, which knows all that sets it apart."""
