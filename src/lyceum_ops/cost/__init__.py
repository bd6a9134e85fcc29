"""What an environment costs a month: from Terraform's JSON, a dated price table and a model of the load.

`estimate` turns an inventory (of a plan, a state, or the one kept in docs/cost/) into lines; `difference` tells what a
plan changes. Nothing here asks AWS or Terraform.
"""

from lyceum_ops.cost.estimate import Difference, Estimate, Line, difference, estimate
from lyceum_ops.cost.inventory import Inventory, inventories
from lyceum_ops.cost.load import LOADS, Load
from lyceum_ops.cost.prices import Prices

__all__ = [
    "LOADS",
    "Difference",
    "Estimate",
    "Inventory",
    "Line",
    "Load",
    "Prices",
    "difference",
    "estimate",
    "inventories",
]
