"""Readers of official files as published: the only readers in the product."""
