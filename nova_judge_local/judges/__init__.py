"""Who answers and who judges in local mode."""
