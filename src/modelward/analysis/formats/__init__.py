"""Files of the hosted monitoring and bias services: every observed spelling is read, the exact present one is written.

The words of those files are keys here and nowhere else. What stands in a file is computed in ``analysis.compatible``.
"""
