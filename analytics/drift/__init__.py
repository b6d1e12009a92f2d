"""What moved: feature histograms in, distances, noise floors and corrected p-values out."""
