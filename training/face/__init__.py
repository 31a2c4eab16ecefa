"""Training of the face model: features, latent code, regression, diffusion teacher, one-step student."""
