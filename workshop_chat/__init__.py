"""The chat agent of one workshop: it knows the step, the learner and its limits. Small: it is the part that multiplies."""
