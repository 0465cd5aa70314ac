"""What the product costs, beside its budgets and beside a naive way of doing the same."""
