"""Constructs named for their purpose."""
