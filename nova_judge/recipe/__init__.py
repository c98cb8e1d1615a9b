"""Recipes, and the models, images, instances and tasks that go together."""
