"""What is computed: products, attentions and element-wise work, with counts and lengths."""
