"""Where files are profiled: here, in other processes, or on a Spark cluster. The kernel is the same in each."""
