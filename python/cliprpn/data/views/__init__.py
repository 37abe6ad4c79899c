"""Augmented views of training images: their pixels, and the sentences that stay true in them."""
