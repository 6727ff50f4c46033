"""What the program costs: ratios and times, all measured in one run."""
