"""Training, calibrating and measuring the eye encoder."""
