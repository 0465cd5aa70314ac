"""Frames in; maps, charts, tables and words out."""
