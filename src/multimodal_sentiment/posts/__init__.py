"""What is known of posts before any model: their images, near duplicates, and splits."""
