"""Hotspots: cells, the methods that rank them, and what becomes of them. Metres, EPSG:27700, throughout.

The usual way: `grid` lays cells over the partnership, a method (`expected_count` by default, as it has caught the most
of later incidents: docs/hotspot-accuracy.md) ranks them, `outline_hotspots` makes places of those that are hot.
"""

from cspmap.analysis.hotspots.cells import Cells, choose_cell, grid, own_units
from cspmap.analysis.hotspots.clusters import Clusters, cluster_locations
from cspmap.analysis.hotspots.density import kernel_density
from cspmap.analysis.hotspots.difference import change_between
from cspmap.analysis.hotspots.dual import dual_density, spread_residents
from cspmap.analysis.hotspots.expected import expected_count
from cspmap.analysis.hotspots.lattice import Shape
from cspmap.analysis.hotspots.layer import COVERAGE, Hotspots, flag_hot
from cspmap.analysis.hotspots.nearby import Neighbours, find_neighbours
from cspmap.analysis.hotspots.outlines import outline_hotspots
from cspmap.analysis.hotspots.points import count_points
from cspmap.analysis.hotspots.significance import benjamini_hochberg, gi_star
from cspmap.analysis.hotspots.surface import Raster, Surface, density_surface, lay_raster
from cspmap.analysis.hotspots.trajectory import TRAJECTORIES, Trajectory, roll_spans, trajectory

__all__ = [
    "COVERAGE",
    "TRAJECTORIES",
    "Cells",
    "Clusters",
    "Hotspots",
    "Neighbours",
    "Raster",
    "Shape",
    "Surface",
    "Trajectory",
    "benjamini_hochberg",
    "change_between",
    "choose_cell",
    "cluster_locations",
    "count_points",
    "density_surface",
    "dual_density",
    "expected_count",
    "find_neighbours",
    "flag_hot",
    "gi_star",
    "grid",
    "kernel_density",
    "lay_raster",
    "outline_hotspots",
    "own_units",
    "roll_spans",
    "spread_residents",
    "trajectory",
]
