"""What is measured, against what, and how to measure it again."""
