"""Data that several tests make: details of judge jobs, saved runs, reports, outcome profiles."""
