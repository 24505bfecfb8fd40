"""`make bench`: how fast the product is, each goal as a ratio of two things of one run.

The other side of each ratio is what a good programmer writes without our designs. It lives here
and nowhere else; nothing imports this package.
"""
