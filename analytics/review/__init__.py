"""Where the model will be wrong, which rows people should label next, and what their labels say without bias."""
