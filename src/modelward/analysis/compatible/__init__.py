"""The numbers of the hosted services, to the last bit: so that their files can be read, checked and written without them.

What is better is the default elsewhere in ``analysis``; here "compatible" is the law. See spec sections 2 to 4 of the files.
"""
