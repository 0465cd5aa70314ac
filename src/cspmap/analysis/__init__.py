"""Pure functions, frames in and frames out: one implementation of each statistic."""
