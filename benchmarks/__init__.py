"""What the package costs, measured: `python -m benchmarks`. No part of the test suite's pass or fail."""
