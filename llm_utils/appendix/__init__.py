"""What the appendices use: gradients without autograd, runs with one bug."""
