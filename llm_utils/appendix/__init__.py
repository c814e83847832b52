"""What `loss.backward()` does, written out: gradients without autograd."""
