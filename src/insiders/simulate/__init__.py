"""A shop whose customers follow a known process: the embedded default input, the scale test and the ground truth.

=========  ===========================================================================================================
arrival    Everybody is first seen with an order. New customers come with the season; those who knew the shop before
           come back soon after the first day.
orders     From the day after the arrival: Poisson with the customer's own rate (gamma within the class) times the
           day's factor (month, weekday; closed on Saturdays and over New Year).
dropout    Exponential lifetime in days; its hazard is gamma across customers, so this is a Pareto/NBD with seasons.
spend      An order is worth the customer's mean (lognormal within the class, growing weakly with the rate) times a
           lognormal factor of mean 1. It is split among lines, whose pieces are rounded at random without bias: the
           expected amount of an order is the customer's mean, exactly.
taste      Dirichlet over the categories; within a category products are drawn by popularity.
undone     A few orders are cancelled whole within minutes, credited in full (M) or discounted (D). Some of the others
           get one credit note days later that takes back some lines, in whole or in part; a few of these are booked
           under another product, so that they match no purchase.
classes    Retail and wholesale differ in rates, lifetime, spend and the worth of a line.
dirt       As in the real file: lines without customer id, exact duplicates, service codes, stock adjustments at price
           zero, missing and changing descriptions, customers in two countries, a mistyped order of tens of thousands
           of pieces that is cancelled at once, returns of what was bought before the first day.
=========  ===========================================================================================================

`process` holds the numbers. Customers are drawn in blocks, each from its own random streams, so any number of them
fits in memory; within a block the lines are in the order of time.
"""

from insiders.simulate.customers import expected_revenue
from insiders.simulate.shop import Settings, Shop

__all__ = ["Settings", "Shop", "expected_revenue"]
