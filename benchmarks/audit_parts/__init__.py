"""The parts of benchmarks/audit.py: each plants one family of faults and prints its tables."""
